/** The request that starts a stream: what it carries, at every attempt. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startStream } from "../../src/client/start-stream.ts";
import type { RequestOptions } from "../../src/client/stream-request.ts";
import { createHarness, STREAM_ID } from "../support/session-harness.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { textProtocol } from "../support/text-protocol.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A route that answers with what it is told, and remembers what it was sent. */
function route(...answers: (() => Promise<Response>)[]) {
  const sent: { body: string; type: string | null; auth: string | null; own: string | null }[] = [];
  const harness = createHarness(textProtocol, scriptedSource().make);
  harness.network = async (request, answer) => {
    if (!request.url.endsWith("/api/chat")) return new Response(null, { status: 404 });
    const { headers } = request;
    sent.push({
      body: await request.clone().text(),
      type: headers.get("content-type"),
      auth: headers.get("authorization"),
      own: headers.get("x-own"),
    });
    return (answers.shift() ?? (() => answer(request)))();
  };
  return { harness, sent };
}

const refused = async (): Promise<Response> => new Response(null, { status: 401 });
const lost = (): Promise<Response> => Promise.reject(new TypeError("Failed to fetch"));

describe("the request that starts a stream", () => {
  it("asks for its body, its headers and its fetch at every attempt, the one after a 401 too", async () => {
    const { harness, sent } = route(refused, lost);
    let count = 0;
    const fetches: number[] = [];
    const requestOptions = (): RequestOptions => ({
      headers: async () => ({ authorization: `token ${count}` }),
      fetch(input, init) {
        fetches.push(count);
        return harness.fetch(input, init);
      },
    });
    const request = {
      url: "/api/chat",
      body: async () => ({ attempt: (count += 1) }),
      headers: () => ({ "x-own": `own ${count}` }),
    };
    const session = harness.session({ requestOptions });
    await expect(startStream(session, request, { requestOptions })).rejects.toMatchObject({
      code: "network",
    });
    await startStream(session, request, { requestOptions });
    const json = "application/json";
    expect(sent).toEqual([
      { body: '{"attempt":1}', type: json, auth: "token 0", own: "own 1" },
      { body: '{"attempt":2}', type: json, auth: "token 1", own: "own 2" },
      { body: '{"attempt":3}', type: json, auth: "token 2", own: "own 3" },
    ]);
    expect(fetches.slice(0, 2)).toEqual([1, 2]);
    session.dispose();
  });

  it("is sent again after a 401 where only its own headers may change", async () => {
    const { harness, sent } = route(refused);
    let token = 0;
    const session = harness.session();
    await startStream(
      session,
      { url: "/api/chat", headers: () => ({ authorization: `token ${(token += 1)}` }) },
      { fetch: harness.fetch },
    );
    expect(sent.map(({ auth }) => auth)).toEqual(["token 1", "token 2"]);
    session.dispose();
  });

  it("is refused at once where no header can change", async () => {
    const { harness, sent } = route(refused);
    const started = startStream(harness.session(), { url: "/api/chat" }, { fetch: harness.fetch });
    await expect(started).rejects.toMatchObject({ status: 401 });
    expect(sent).toHaveLength(1);
  });

  it("is not waited for any more when the session is disposed of, and counts as lost", async () => {
    const { harness } = route();
    const session = harness.session();
    const started = startStream(
      session,
      { url: "/api/chat" },
      {
        fetch: (_input, init) =>
          new Promise((_resolve, reject) => {
            init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
          }),
      },
    );
    await vi.advanceTimersByTimeAsync(0);
    session.dispose();
    await expect(started).rejects.toMatchObject({ code: "network", status: 0 });
  });

  it.each([
    ["a text as it is", "Hi?", "Hi?", "text/plain;charset=UTF-8"],
    [
      "fields as a form",
      new URLSearchParams({ a: "1" }),
      "a=1",
      "application/x-www-form-urlencoded;charset=UTF-8",
    ],
    ["bytes as they are", new TextEncoder().encode("Hi?"), "Hi?", null],
    ["anything else as JSON", [1, null], "[1,null]", "application/json"],
    ["nothing as nothing", undefined, "", null],
  ])("carries %s", async (_what, body, text, type) => {
    const { harness, sent } = route();
    const session = harness.session();
    await startStream(session, { url: "/api/chat", body }, { fetch: harness.fetch });
    expect(sent).toEqual([{ body: text, type, auth: null, own: null }]);
    expect(session.id).toBe(STREAM_ID);
    session.dispose();
  });
});
