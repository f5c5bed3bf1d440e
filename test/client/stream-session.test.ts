/** The session against a real handler: what is cut, lost, doubled or reloaded changes nothing in the message. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { memoryCheckpoints } from "../../src/client/checkpoints/memory.ts";
import type { StreamSession } from "../../src/client/session-contract.ts";
import { assistantStream, type AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";
import { everyPartChunks, everyPartPayloads } from "../support/every-part-answer.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import {
  createHarness,
  cutResponse,
  hasEnded,
  STREAM_ID,
  until,
  type Harness,
} from "../support/session-harness.ts";
import { streamOf } from "../support/streams.ts";
import { sseOf, textPayloads, textProtocol } from "../support/text-protocol.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Lets time pass until a session has ended. */
async function toEnd(session: StreamSession<unknown>): Promise<void> {
  const ended = until(session, hasEnded);
  let done = false;
  void ended.then(() => (done = true));
  for (let step = 0; step < 500 && !done; step += 1) await vi.advanceTimersByTimeAsync(250);
  await ended;
}

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

const texts = textPayloads("one ", "two ", "three");

function writing() {
  const source = scriptedSource();
  const harness = createHarness(textProtocol, source.make);
  return { source, harness, write: (...parts: string[]) => source.write(sseOf(parts)) };
}

describe("a session", () => {
  it("does nothing until somebody wants it, and asks once for all who do", async () => {
    const { harness } = writing();
    await harness.context.run("stream-1", () => streamOf(sseOf(texts)), {
      protocol: textProtocol,
      owner: null,
    });
    const session = harness.session();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(harness.requests).toEqual([]);
    session.subscribe(() => {});
    session.subscribe(() => {});
    await toEnd(session);
    expect(harness.requests).toEqual(["GET /api/streams/stream-1?control=1"]);
    expect(session.getState()).toMatchObject({ status: "done", message: { text: "one two three" } });
  });

  it("keeps its connection over a short absence, and lets go after five seconds", async () => {
    const { harness, write } = writing();
    const session = harness.session();
    await harness.start(session);
    const leave = session.subscribe(() => {});
    write(texts[0] ?? "");
    await vi.advanceTimersByTimeAsync(100);
    leave();
    await vi.advanceTimersByTimeAsync(4_900);
    session.subscribe(() => {})();
    await vi.advanceTimersByTimeAsync(4_900);
    expect(session.getState().status).toBe("streaming");
    await vi.advanceTimersByTimeAsync(200);
    expect(session.getState().status).toBe("idle");
    expect(session.getState().message).toMatchObject({ text: "one " });
    expect(harness.requests).toHaveLength(1);
  });

  it("paints the end of a finished answer from its checkpoint, without a request", async () => {
    const { harness, source, write } = writing();
    const before = harness.session();
    await harness.start(before);
    write(...texts);
    source.end();
    await toEnd(before);
    before.dispose();
    const requests = harness.requests.length;
    const after = harness.session();
    expect(after.getState()).toMatchObject({
      status: "done",
      message: { text: "one two three", status: "done" },
    });
    after.connect();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(harness.requests).toHaveLength(requests);
    after.dispose();
  });

  it("waits for a stream that was just started, and gives up on one that was not", async () => {
    const { harness } = writing();
    const started = harness.session();
    harness.network = () => Promise.reject(new TypeError("Failed to fetch"));
    await expect(harness.start(started)).rejects.toMatchObject({ code: "network" });
    started.dispose();
    harness.network = (request, answer) => answer(request);
    const reloaded = harness.session();
    reloaded.connect();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(reloaded.getState().status).toBe("reconnecting");
    expect(harness.requests.some((request) => request.startsWith("POST") && !request.includes("chat"))).toBe(
      false,
    );
    await vi.advanceTimersByTimeAsync(20_000);
    expect(reloaded.getState()).toMatchObject({ status: "missing", error: { code: "missing" } });
    const stranger = harness.session({ id: "never-started" });
    stranger.connect();
    await vi.advanceTimersByTimeAsync(10);
    expect(stranger.getState().status).toBe("missing");
  });

  it("backs off from empty answers like from any failure", async () => {
    const { harness } = writing();
    const session = harness.session();
    await harness.start(session);
    session.connect();
    harness.network = async () => new Response("", { headers: { "content-type": "text/event-stream" } });
    harness.wake.send("hide");
    harness.wake.send("visible");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(harness.requests.length).toBeLessThan(40);
    expect(session.getState().attempt).toBeGreaterThan(3);
    session.dispose();
  });

  it("keeps Retry-After", async () => {
    const { harness } = writing();
    const session = harness.session();
    session.connect();
    harness.network = async () =>
      Response.json(
        { error: { code: "store-unavailable", message: "away" } },
        { status: 503, headers: { "retry-after": "7" } },
      );
    await vi.advanceTimersByTimeAsync(20);
    session.retry();
    await vi.advanceTimersByTimeAsync(20);
    const asked = harness.requests.length;
    expect(session.getState()).toMatchObject({
      status: "reconnecting",
      error: { code: "store-unavailable", message: "away" },
    });
    await vi.advanceTimersByTimeAsync(6_900);
    expect(harness.requests).toHaveLength(asked);
    await vi.advanceTimersByTimeAsync(200);
    expect(harness.requests).toHaveLength(asked + 1);
    session.dispose();
  });

  it("asks for its headers at every attempt, and once more after a 401", async () => {
    const { harness } = writing();
    await harness.context.run("stream-1", () => streamOf(sseOf(texts)), {
      protocol: textProtocol,
      owner: null,
    });
    let token = 0;
    harness.network = async (request, answer) =>
      request.headers.get("authorization") === "token 2"
        ? answer(request)
        : new Response(null, { status: 401 });
    const session = harness.session({ headers: () => ({ authorization: `token ${(token += 1)}` }) });
    session.connect();
    await toEnd(session);
    expect(session.getState().status).toBe("done");
    expect(harness.requests).toHaveLength(2);
    const refused = harness.session({ id: "other", headers: () => ({ authorization: "old" }) });
    refused.connect();
    await toEnd(refused);
    expect(refused.getState()).toMatchObject({ status: "error", error: { code: "http-error" } });
    expect(harness.requests).toHaveLength(4);
  });

  it("takes a connection that falls silent for a cut", async () => {
    const { harness, write } = writing();
    const session = harness.session();
    await harness.start(session);
    session.connect();
    await vi.advanceTimersByTimeAsync(100);
    write(texts[0] ?? "");
    await vi.advanceTimersByTimeAsync(100);
    harness.network = async (_request, answer) => {
      const response = await answer(_request);
      return new Response(new ReadableStream(), { headers: response.headers });
    };
    harness.wake.send("hide");
    harness.wake.send("visible");
    await vi.advanceTimersByTimeAsync(100);
    const asked = harness.requests.length;
    await vi.advanceTimersByTimeAsync(44_000);
    expect(harness.requests).toHaveLength(asked);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(harness.requests.length).toBeGreaterThan(asked);
    session.dispose();
  });

  it("says that it is offline, and goes on when it is not", async () => {
    const { harness, source, write } = writing();
    const session = harness.session();
    await harness.start(session);
    session.connect();
    write(texts[0] ?? "");
    await vi.advanceTimersByTimeAsync(100);
    harness.wake.send("offline");
    expect(session.getState().status).toBe("offline");
    write(...texts.slice(1));
    source.end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.getState().message).toMatchObject({ text: "one " });
    harness.wake.send("online");
    await toEnd(session);
    expect(session.getState().message).toMatchObject({ text: "one two three" });
    expect(harness.requests).toHaveLength(2);
  });

  it("starts anew when the stream was taken over", async () => {
    const { harness } = writing();
    const session = harness.session();
    const old =
      'id: 000000001-old.1\ndata: {"t":"old "}\n\nevent: rejoin.live\ndata: {"heartbeatMs":15000}\n\n';
    const run =
      'id: 000000002-new.0\nevent: rejoin.reset\ndata: {}\n\nid: 000000002-new.1\ndata: {"t":"new"}\n\nevent: rejoin.end\ndata: {"status":"done"}\n\n';
    const answers = [old, run];
    harness.network = async () =>
      new Response(answers.shift() ?? "", { headers: { "content-type": "text/event-stream" } });
    session.connect();
    await toEnd(session);
    expect(session.getState().message).toEqual({ text: "new", status: "done" });
  });

  it("takes the server's checkpoint for its own", async () => {
    const { harness } = writing();
    const session = harness.session();
    const snapshot = textProtocol.fold();
    snapshot.apply('{"t":"folded on the server, "}');
    const data = JSON.stringify({ protocol: textProtocol.name, version: 1, snapshot: snapshot.snapshot() });
    const answer = `id: 000000001-gen.40\nevent: rejoin.snapshot\ndata: ${data}\n\nid: 000000001-gen.41\ndata: {"t":"read here"}\n\nevent: rejoin.end\ndata: {"status":"done"}\n\n`;
    harness.network = async () => new Response(answer, { headers: { "content-type": "text/event-stream" } });
    session.connect();
    await toEnd(session);
    expect(session.getState()).toMatchObject({
      cursor: "000000001-gen.41",
      message: { text: "folded on the server, read here" },
    });
  });

  it("drops a checkpoint that is damaged, of another protocol, or of another scope", async () => {
    const { harness, source, write } = writing();
    const before = harness.session({ scope: "ada" });
    await harness.start(before);
    write(...texts);
    source.end();
    await toEnd(before);
    before.dispose();
    expect(harness.session({ scope: "ada" }).getState().message).toBeDefined();
    expect(
      harness.session({ scope: "ada", protocol: { ...textProtocol, version: 2 } }).getState().message,
    ).toBeUndefined();
    expect(harness.session({ scope: "eve" }).getState().message).toBeUndefined();
    const eve = harness.session({ scope: "eve", id: "other" });
    eve.connect();
    expect(harness.session({ scope: "ada" }).getState().message).toBeUndefined();
    eve.dispose();
  });
});

const sse = (...lines: readonly string[]): Response =>
  new Response(lines.join(""), { headers: { "content-type": "text/event-stream" } });
const entry = (id: string, t: string): string => `id: ${id}\ndata: ${JSON.stringify({ t })}\n\n`;
const control = (name: string, id: string, data: object): string =>
  `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const [GEN_A, GEN_B] = ["000000001-aaa", "000000002-bbb"];

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

describe("a session that is let go", () => {
  it("is taken up again, whoever counted before", async () => {
    const { harness, source, write } = writing();
    const session = harness.session();
    await harness.start(session);
    const leave = session.subscribe(() => {});
    session.dispose();
    leave();
    write(...texts);
    source.end();
    session.connect();
    await toEnd(session);
    expect(session.getState()).toMatchObject({ status: "done", message: { text: "one two three" } });
  });

  it("stores nothing for a user who has left", async () => {
    const { harness, write } = writing();
    const ada = harness.session({ scope: "ada" });
    await harness.start(ada);
    ada.connect();
    write(texts[0] ?? "");
    await vi.advanceTimersByTimeAsync(100);
    const eve = harness.session({ scope: "eve", id: "other" });
    eve.connect();
    ada.dispose();
    expect(harness.session({ scope: "ada" }).getState().message).toBeUndefined();
    eve.dispose();
  });

  it("forgets a request that was refused, so that a reload does not wait for it", async () => {
    const { harness } = writing();
    harness.network = async () =>
      Response.json({ error: { code: "invalid-request", message: "no" } }, { status: 400 });
    const session = harness.session();
    await expect(harness.start(session)).rejects.toMatchObject({ code: "invalid-request" });
    session.dispose();
    harness.network = (request, answer) => answer(request);
    const reloaded = harness.session();
    reloaded.connect();
    await vi.advanceTimersByTimeAsync(10);
    expect(reloaded.getState().status).toBe("missing");
  });
});

describe("stopping", () => {
  it("ends the model's run, keeps what was written, and is not revived by a reload", async () => {
    const { harness, source, write } = writing();
    const session = harness.session();
    await harness.start(session);
    write(texts[0] ?? "");
    await vi.advanceTimersByTimeAsync(100);
    const stopped = session.stop();
    expect(session.getState().isStopping).toBe(true);
    await toEnd(session);
    await stopped;
    expect(source.signal()?.aborted).toBe(true);
    expect(session.getState()).toMatchObject({
      status: "stopped",
      isStopping: false,
      message: { text: "one ", status: "stopped" },
    });
    session.dispose();
    const reloaded = harness.session();
    reloaded.connect();
    expect(reloaded.getState()).toMatchObject({ status: "stopped", message: { text: "one " } });
    expect(source.starts()).toBe(1);
  });

  it("is sent again when it overtook the request that starts the stream", async () => {
    const { harness, source } = writing();
    const slow = Promise.withResolvers<void>();
    harness.network = async (request, answer) => {
      if (request.url.endsWith("/api/chat")) await slow.promise;
      return answer(request);
    };
    const session = harness.session();
    void harness.start(session);
    await vi.advanceTimersByTimeAsync(10);
    void session.stop();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(session.getState().isStopping).toBe(true);
    slow.resolve();
    await toEnd(session);
    expect(session.getState().status).toBe("stopped");
    expect(source.signal()?.aborted).toBe(true);
  });

  it("is sent again after a reload that came before it arrived", async () => {
    const { harness, source } = writing();
    const session = harness.session();
    await harness.start(session);
    await vi.advanceTimersByTimeAsync(100);
    harness.network = () => Promise.reject(new TypeError("Failed to fetch"));
    void session.stop();
    await vi.advanceTimersByTimeAsync(50);
    harness.wake.send("hide");
    session.dispose();
    harness.network = (request, answer) => answer(request);
    const reloaded = harness.session();
    expect(reloaded.getState().isStopping).toBe(true);
    reloaded.connect();
    await toEnd(reloaded);
    expect(reloaded.getState().status).toBe("stopped");
    expect(source.signal()?.aborted).toBe(true);
  });

  it("that the server refuses is given up, and says so", async () => {
    const { harness } = writing();
    const session = harness.session();
    await harness.start(session);
    harness.network = async (request, answer) =>
      request.url.endsWith("/stop")
        ? Response.json({ error: { code: "forbidden", message: "no" } }, { status: 403 })
        : answer(request);
    await expect(session.stop()).rejects.toMatchObject({ code: "forbidden", status: 403 });
    expect(session.getState()).toMatchObject({ isStopping: false, error: { code: "forbidden" } });
    session.dispose();
  });
});

describe("side effects", () => {
  it("happen once for each event, over cuts and reloads, in order", async () => {
    const calls: string[] = [];
    const { harness, source, write } = writing();
    const before = harness.session();
    const unregister = before.onEvent((payload, { replayed }) => calls.push(`${payload} ${replayed}`));
    before.connect();
    await harness.start(before);
    await vi.advanceTimersByTimeAsync(10);
    write(texts[0] ?? "");
    write(texts[1] ?? "");
    await vi.advanceTimersByTimeAsync(10);
    // The page is gone from one moment to the next: no checkpoint was written since the start.
    unregister();
    harness.network = () => Promise.reject(new TypeError("Failed to fetch"));
    const after = harness.session();
    after.onEvent((payload, { replayed }) => calls.push(`${payload} ${replayed}`));
    harness.network = (request, answer) => answer(request);
    after.connect();
    await vi.advanceTimersByTimeAsync(10);
    write(...texts.slice(2));
    source.end();
    await toEnd(after);
    expect(calls.filter((call, index) => calls.indexOf(call) === index)).toEqual(calls);
    expect(calls).toEqual(texts.map((payload) => `${payload} false`));
    expect(after.getState().message).toMatchObject({ text: "one two three" });
    before.dispose();
    after.dispose();
  });

  it("that fail neither stop the stream nor the others", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const { harness, source, write } = writing();
    const session = harness.session();
    const seen: string[] = [];
    session.onEvent(() => {
      throw new Error("a bug of the app's");
    });
    session.onEvent((payload) => seen.push(payload));
    await harness.start(session);
    write(...texts);
    source.end();
    await toEnd(session);
    expect(seen).toEqual(texts);
    expect(logged).toHaveBeenCalledTimes(texts.length);
    logged.mockRestore();
  });
});
