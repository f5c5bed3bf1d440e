/** The session against a real handler: what is cut, lost, doubled or reloaded changes nothing in the message. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkpointKey } from "../../src/client/checkpoints/checkpoint-store.ts";
import { memoryCheckpoints } from "../../src/client/checkpoints/memory.ts";
import { assistantStream, type AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";
import { everyPartChunks, everyPartPayloads } from "../support/every-part-answer.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { createHarness, cutResponse, STREAM_ID, toEnd, type Harness } from "../support/session-harness.ts";
import { streamOf } from "../support/streams.ts";
import { textProtocol } from "../support/text-protocol.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const whole = (() => {
  const fold = assistantStream.fold();
  for (const payload of everyPartPayloads) fold.apply(payload);
  fold.end({ status: "done" });
  return JSON.stringify(fold.view());
})();

const post = (harness: Harness<AssistantMessage>): Promise<Response> =>
  harness.fetch("/api/chat", {
    method: "POST",
    headers: { "x-resumable-stream-id": STREAM_ID, "x-rejoin-control": "1" },
  });

const answering = (): Harness<AssistantMessage> =>
  createHarness(assistantStream, () => streamOf<object>(...everyPartChunks));

describe("an answer with every kind of part", () => {
  it.each(["error", "end"] as const)(
    "is exact, its response cut at every byte, with an %s",
    async (how) => {
      const harness = answering();
      const answer = (await (await post(harness)).arrayBuffer()).byteLength;
      for (let cut = 0; cut <= answer; cut += 1) {
        let requests = 0;
        harness.network = async (request, next) => {
          requests += 1;
          const response = await next(request);
          return requests === 1 ? cutResponse(response, cut, how) : response;
        };
        const session = harness.session({ checkpoints: memoryCheckpoints() });
        await harness.start(session).catch(() => {});
        await toEnd(session);
        expect(JSON.stringify(session.getState().message), `cut after ${cut} bytes`).toBe(whole);
        expect(requests, `requests, cut after ${cut} bytes`).toBeLessThanOrEqual(2);
        session.dispose();
      }
    },
    60_000,
  );

  it("is exact when every response is cut a little later than the one before", async () => {
    for (const how of ["error", "end"] as const) {
      const harness = answering();
      let bytes = 40;
      harness.network = async (request, answer) => cutResponse(await answer(request), (bytes += 61), how);
      const session = harness.session();
      await harness.start(session);
      await toEnd(session);
      expect(JSON.stringify(session.getState().message)).toBe(whole);
      session.dispose();
    }
  });

  it("is exact when it is reloaded at every event", async () => {
    for (let reloadAt = 0; reloadAt < everyPartChunks.length; reloadAt += 1) {
      const source = scriptedSource<object>();
      const harness = createHarness(assistantStream, source.make);
      const before = harness.session();
      before.connect();
      await harness.start(before);
      source.write(...everyPartChunks.slice(0, reloadAt));
      await vi.advanceTimersByTimeAsync(200);
      const cursor = before.getState().cursor;
      // A page that goes away stores what it knows.
      harness.wake.send("hide");
      before.dispose();
      const seen = before.getState().message;
      source.write(...everyPartChunks.slice(reloadAt));
      source.end();
      const after = harness.session();
      expect(JSON.stringify(after.getState().message)).toBe(JSON.stringify(seen));
      after.connect();
      await toEnd(after);
      expect(JSON.stringify(after.getState().message)).toBe(whole);
      const asked = harness.requests.at(-1) ?? "";
      expect(new URL(asked.split(" ")[1] ?? "", "http://test.local").searchParams.get("cursor") ?? "").toBe(
        cursor,
      );
      after.dispose();
    }
  });

  it("is exact when the page is gone before it could store what it had read last", async () => {
    const key = checkpointKey("", "/api/streams", "stream", STREAM_ID);
    for (let storedAt = 1; storedAt < everyPartChunks.length; storedAt += 3) {
      const source = scriptedSource<object>();
      const harness = createHarness(assistantStream, source.make);
      const before = harness.session();
      await harness.start(before);
      source.write(...everyPartChunks.slice(0, storedAt));
      // The time between two checkpoints.
      await vi.advanceTimersByTimeAsync(1_100);
      const stored = harness.checkpoints.get(key);
      source.write(...everyPartChunks.slice(storedAt));
      source.end();
      await vi.advanceTimersByTimeAsync(100);
      before.dispose();
      const checkpoints = memoryCheckpoints();
      if (typeof stored === "string") checkpoints.set(key, stored);
      const requests = harness.requests.length;
      const after = harness.session({ checkpoints });
      expect(after.getState().cursor).toMatch(/\.[1-9]/);
      after.connect();
      await toEnd(after);
      expect(JSON.stringify(after.getState().message), `stored at ${storedAt}`).toBe(whole);
      expect(harness.requests).toHaveLength(requests + 1);
      after.dispose();
    }
  });

  it("is exact, over two requests, when a cut answer is sent again from an earlier position", async () => {
    const harness = answering();
    const events = (await (await post(harness)).text()).split("\n\n").slice(0, -1);
    for (let cut = 1; cut < events.length; cut += 4) {
      for (let from = 0; from <= cut; from += 5) {
        let requests = 0;
        harness.network = async (_request, answer) => {
          requests += 1;
          const { headers } = await answer(_request);
          const part = requests === 1 ? events.slice(0, cut) : events.slice(from);
          return new Response(part.map((event) => `${event}\n\n`).join(""), { headers });
        };
        const session = harness.session({ checkpoints: memoryCheckpoints() });
        await harness.start(session);
        await toEnd(session);
        expect(JSON.stringify(session.getState().message), `${cut}, then from ${from}`).toBe(whole);
        expect(requests).toBeLessThanOrEqual(2);
        session.dispose();
      }
    }
  });

  it("is exact when everything is sent twice, and from an earlier position", async () => {
    const harness = answering();
    harness.network = async (request, answer) => {
      const text = await (await answer(request)).text();
      const entries = text
        .split("\n\n")
        .filter((event) => event.startsWith("id:") && !event.includes("event:"));
      const doubled = entries.flatMap((event, index) => [
        event,
        entries[Math.max(0, index - 2)] ?? event,
        event,
      ]);
      const rest = text.split("\n\n").filter((event) => event.includes("event: rejoin.end"));
      return new Response([...doubled, ...rest, ""].join("\n\n"), {
        headers: { "content-type": "text/event-stream" },
      });
    };
    const session = harness.session();
    await harness.start(session);
    await toEnd(session);
    expect(JSON.stringify(session.getState().message)).toBe(whole);
    session.dispose();
  });

  it("is exact when an event is missing in between: the gap is read again", async () => {
    const harness = answering();
    let first = true;
    harness.network = async (request, answer) => {
      const response = await answer(request);
      if (!first) return response;
      first = false;
      const events = (await response.text()).split("\n\n");
      return new Response([...events.slice(0, 5), ...events.slice(6)].join("\n\n"), {
        headers: response.headers,
      });
    };
    const session = harness.session();
    await harness.start(session);
    await toEnd(session);
    expect(JSON.stringify(session.getState().message)).toBe(whole);
    session.dispose();
  });
});

const sse = (...lines: readonly string[]): Response =>
  new Response(lines.join(""), { headers: { "content-type": "text/event-stream" } });
const entry = (id: string, t: string): string => `id: ${id}\ndata: ${JSON.stringify({ t })}\n\n`;
const control = (name: string, id: string, data: object): string =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const [GEN_A, GEN_B] = ["000000001-aaa", "000000002-bbb"];

function writing() {
  const source = scriptedSource();
  return { source, harness: createHarness(textProtocol, source.make) };
}

describe("a session whose server errs", () => {
  it.each([
    ["Retry-After: 0", async () => new Response(null, { status: 503, headers: { "retry-after": "0" } })],
    [
      "a Retry-After in the past",
      async () => new Response(null, { status: 429, headers: { "retry-after": new Date(0).toUTCString() } }),
    ],
    ["a reset, again and again", async () => sse(control("rejoin.reset", `${GEN_A}.0`, {}))],
  ])("does not ask in a busy loop for %s", async (_what, network) => {
    const { harness } = writing();
    harness.network = network;
    const session = harness.session();
    session.connect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(harness.requests.length).toBeLessThan(40);
    session.dispose();
  });

  it("does not take an end for its own that lies beyond what it has read", async () => {
    const { harness } = writing();
    const answers = [
      sse(entry(`${GEN_A}.1`, "one "), control("rejoin.end", `${GEN_A}.3`, { status: "done" })),
      sse(
        entry(`${GEN_A}.2`, "two "),
        entry(`${GEN_A}.3`, "three"),
        control("rejoin.end", `${GEN_A}.3`, { status: "done" }),
      ),
    ];
    harness.network = async () => answers.shift() ?? sse();
    const session = harness.session();
    session.connect();
    await toEnd(session);
    expect(session.getState()).toMatchObject({ status: "done", message: { text: "one two three" } });
  });

  it("does not put another generation's end on what it has read", async () => {
    const { harness } = writing();
    const lost = { status: "error", error: { code: "producer-lost", message: "lost" } };
    const answers = [
      sse(entry(`${GEN_A}.1`, "old"), control("rejoin.live", `${GEN_A}.1`, { heartbeatMs: 15_000 })),
      sse(
        control("rejoin.live", `${GEN_B}.0`, { heartbeatMs: 15_000 }),
        control("rejoin.end", `${GEN_B}.0`, lost),
      ),
    ];
    harness.network = async () => answers.shift() ?? sse();
    const session = harness.session();
    session.connect();
    await toEnd(session);
    expect(session.getState()).toMatchObject({
      status: "error",
      cursor: `${GEN_B}.0`,
      message: { text: "" },
    });
  });

  it("sends a stop again that is not answered", async () => {
    const { harness, source } = writing();
    const session = harness.session();
    await harness.start(session);
    session.connect();
    let hangs = true;
    harness.network = (request, answer) =>
      request.url.endsWith("/stop") && hangs ? new Promise(() => {}) : answer(request);
    void session.stop();
    await vi.advanceTimersByTimeAsync(19_000);
    expect(session.getState().isStopping).toBe(true);
    hangs = false;
    await toEnd(session);
    expect(session.getState().status).toBe("stopped");
    expect(source.signal()?.aborted).toBe(true);
  });

  it("refuses an id that a URL would resolve away", () => {
    const { harness } = writing();
    expect(() => harness.session({ id: ".." })).toThrow(/stream id/);
  });
});
