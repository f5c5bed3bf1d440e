/** The client without React: which stream a thread's is, and what is held of streams that nobody wants. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkpointKey } from "../../src/client/checkpoints/checkpoint-store.ts";
import { memoryCheckpoints } from "../../src/client/checkpoints/memory.ts";
import { createStreamClient } from "../../src/client/stream-client.ts";
import type { RequestOptions } from "../../src/client/stream-request.ts";
import type { WakeSource } from "../../src/client/wake.ts";
import { laterCheckpoints } from "../support/later-checkpoints.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { createHarness, toEnd } from "../support/session-harness.ts";
import { sseOf, textPayloads, textProtocol } from "../support/text-protocol.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe.each([
  ["answers at once", memoryCheckpoints],
  ["takes its time", laterCheckpoints],
] as const)("a client with a place for checkpoints that %s", (_how, createCheckpoints) => {
  function app() {
    const source = scriptedSource();
    const checkpoints = createCheckpoints();
    const harness = createHarness(textProtocol, source.make, checkpoints);
    /** Each is a page that was loaded anew. */
    const load = (options: RequestOptions = {}) =>
      createStreamClient({
        endpoint: "/api/streams",
        protocol: textProtocol,
        checkpoints,
        wake: harness.wake,
        fetch: harness.fetch,
        ...options,
      });
    return { source, checkpoints, harness, load };
  }

  it("asks for nothing while the request that starts a stream is on its way", async () => {
    const { harness, load } = app();
    const client = load();
    const started = client.start({ url: "/api/chat", id: "new", thread: "chat" });
    client.session("new").connect();
    await started;
    expect(harness.requests).toEqual(["POST /api/chat"]);
    client.dispose();
  });

  it("takes a stream for the thread's newest that the server does not know yet, over a reload too", async () => {
    const { harness, source, load } = app();
    const held = Promise.withResolvers<void>();
    harness.network = async (request, answer) => {
      if (request.method === "POST") await held.promise;
      // The server's newest is an older one.
      if (request.url.includes("thread=")) return Response.json({ streamId: "old", status: "done" });
      return answer(request);
    };
    const client = load();
    void client.start({ url: "/api/chat", id: "new", thread: "chat" });
    await settle();
    expect(await client.findActive("chat")).toEqual({ streamId: "new", status: "streaming" });
    const reloaded = load();
    expect(await reloaded.findActive("chat")).toEqual({ streamId: "new", status: "streaming" });

    // Until there is something of it: then the server knows.
    held.resolve();
    source.write(sseOf(textPayloads("Hi")));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(await client.findActive("chat")).toEqual({ streamId: "old", status: "done" });
    client.dispose();
    reloaded.dispose();
  });

  it("gives up on one that never came to be", async () => {
    const { harness, load } = app();
    harness.network = (request, answer) =>
      request.method === "POST" ? Promise.reject(new TypeError("Failed to fetch")) : answer(request);
    const client = load();
    await expect(client.start({ url: "/api/chat", id: "new", thread: "chat" })).rejects.toThrow();
    expect(await client.findActive("chat")).toMatchObject({ streamId: "new" });
    client.session("new").connect();
    await toEnd(client.session("new"));
    expect(client.session("new").getState().status).toBe("missing");
    expect(await client.findActive("chat")).toBeNull();
    client.dispose();
  });

  it.each([
    ["stalls", () => ({})],
    ["waits for headers that never come", () => ({ headers: () => new Promise<never>(() => {}) })],
  ] as const)("does not ask for the thread's newest for ever (it %s)", async (_what, options) => {
    const { harness, load } = app();
    harness.network = () => new Promise(() => {});
    const client = load(options());
    const asked = expect(client.findActive("chat")).rejects.toMatchObject({ code: "network" });
    await vi.advanceTimersByTimeAsync(20_000);
    await asked;
    const leave = new AbortController();
    const left = expect(client.findActive("chat", leave.signal)).rejects.toBe("left");
    leave.abort("left");
    await left;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves the thread to a newer start when an older one is refused", async () => {
    const { harness, load, checkpoints } = app();
    const refusals = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let posts = 0;
    harness.network = async (request, answer) => {
      if (request.method !== "POST") return answer(request);
      await refusals[posts++]?.promise;
      return new Response(null, { status: 400 });
    };
    const client = load();
    const stored = async (): Promise<string | null> =>
      checkpoints.get(checkpointKey("", "/api/streams", "thread", "chat"));
    const first = client.start({ url: "/api/chat", id: "first", thread: "chat" });
    await settle();
    const second = client.start({ url: "/api/chat", id: "second", thread: "chat" });
    await settle();
    refusals[0]?.resolve();
    await expect(first).rejects.toMatchObject({ status: 400 });
    await settle();
    expect(await stored()).toBe("second");
    refusals[1]?.resolve();
    await expect(second).rejects.toMatchObject({ status: 400 });
    await settle();
    expect(await stored()).not.toBe("second");
    client.dispose();
  });
});

describe("a start that is refused after it was lost and repeated", () => {
  it("gives the thread back to the stream before", async () => {
    const checkpoints = memoryCheckpoints();
    const key = checkpointKey("", "/api/streams", "thread", "chat");
    checkpoints.set(key, "before");
    let attempts = 0;
    const client = createStreamClient({
      endpoint: "/api/streams",
      protocol: textProtocol,
      checkpoints,
      fetch: async () => new Response(null, { status: (attempts += 1) === 1 ? 503 : 400 }),
    });
    const start = () => client.start({ url: "/api/chat", id: "new", thread: "chat" });
    await expect(start()).rejects.toMatchObject({ status: 503 });
    expect(client.lastKnown("chat")).toBe("new");
    await expect(start()).rejects.toMatchObject({ status: 400 });
    expect(client.lastKnown("chat")).toBe("before");
    client.dispose();
  });
});

describe("a start that comes while what is stored of the thread is read", () => {
  it("is the thread's newest, and stays that", async () => {
    const key = checkpointKey("", "/api/streams", "thread", "chat");
    const memory = memoryCheckpoints();
    memory.set(key, "old");
    const held = Promise.withResolvers<void>();
    const harness = createHarness(textProtocol, scriptedSource().make);
    harness.network = async (request, answer) =>
      request.url.includes("thread=") ? Response.json({ streamId: "old", status: "done" }) : answer(request);
    const client = createStreamClient({
      endpoint: "/api/streams",
      protocol: textProtocol,
      checkpoints: {
        ...memory,
        async get(name) {
          const text = memory.get(name);
          if (name === key) await held.promise;
          return text;
        },
      },
      wake: harness.wake,
      fetch: harness.fetch,
    });
    const found = client.findActive("chat");
    await settle();
    await client.start({ url: "/api/chat", id: "new", thread: "chat" });
    held.resolve();
    expect(await found).toEqual({ streamId: "new", status: "streaming" });
    await settle();
    expect(memory.get(key)).toBe("new");
    client.dispose();
  });
});

describe("ids from outside", () => {
  const load = (answer: object) => {
    const checkpoints = memoryCheckpoints();
    const client = createStreamClient({
      endpoint: "/api/streams",
      protocol: textProtocol,
      checkpoints,
      fetch: async () => Response.json(answer),
    });
    return { checkpoints, client };
  };

  it.each(["..", "", "a/b", 7])("that name no stream are no answer (%s)", async (streamId) => {
    const { client } = load({ streamId, status: "done" });
    await expect(client.findActive("chat")).rejects.toMatchObject({ code: "bad-response" });
  });

  it("that name no stream are not taken from storage", () => {
    const { client, checkpoints } = load({});
    checkpoints.set(checkpointKey("", "/api/streams", "thread", "chat"), "../secret");
    expect(client.lastKnown("chat")).toBeNull();
  });
});

describe("what is held of a stream that nobody wants", () => {
  it("is nothing: no timer, no listener, no session", async () => {
    const listeners = new Set<unknown>();
    const wake: WakeSource = {
      isOnline: () => true,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    // Written by hand: a server in this process would have timers of its own.
    const answer = new ReadableStream<Uint8Array>({
      start: (body) => body.enqueue(new TextEncoder().encode('id: 000000001-gen.1\ndata: {"t":"Hi"}\n\n')),
    });
    const client = createStreamClient({
      endpoint: "/api/streams",
      protocol: textProtocol,
      checkpoints: memoryCheckpoints(),
      wake,
      fetch: async () => new Response(answer, { headers: { "content-type": "text/event-stream" } }),
    });
    const session = client.session("s");
    const leave = session.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(300);
    expect(session.getState().message).toMatchObject({ text: "Hi" });
    expect([listeners.size, vi.getTimerCount() > 0]).toEqual([1, true]);
    leave();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([listeners.size, vi.getTimerCount()]).toEqual([0, 0]);
    expect(client.session("s")).not.toBe(session);
  });

  it("is gone also where it was never wanted", async () => {
    const client = createStreamClient({
      endpoint: "/api/streams",
      protocol: textProtocol,
      checkpoints: memoryCheckpoints(),
    });
    const never = client.session("never");
    expect(client.session("never")).toBe(never);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(5_001);
    client.session("other");
    expect(client.session("never")).not.toBe(never);
  });

  it("is taken up again by who kept it", async () => {
    const { session, start } = (() => {
      const source = scriptedSource();
      const harness = createHarness(textProtocol, source.make);
      const client = createStreamClient({
        endpoint: "/api/streams",
        protocol: textProtocol,
        checkpoints: memoryCheckpoints(),
        wake: harness.wake,
        fetch: harness.fetch,
      });
      return { session: (id: string) => client.session(id), start: client.start };
    })();
    const kept = session("s");
    await start({ url: "/api/chat", id: "s" });
    await vi.advanceTimersByTimeAsync(5_001);
    const leave = kept.subscribe(() => {});
    expect(session("s")).toBe(kept);
    leave();
    kept.dispose();
  });
});

describe("a stream that ended before a reload", () => {
  it("is told of once somebody looks at it", async () => {
    const source = scriptedSource();
    const harness = createHarness(textProtocol, source.make);
    const before = harness.session();
    await harness.start(before);
    source.write(sseOf(textPayloads("Hi")));
    source.end();
    await toEnd(before);
    before.dispose();
    const ended: unknown[] = [];
    const after = harness.session({ onEnd: (finished) => ended.push(finished) });
    expect(ended).toEqual([]);
    after.subscribe(() => {});
    after.subscribe(() => {});
    expect(ended).toEqual([
      { id: after.id, end: { status: "done" }, message: { text: "Hi", status: "done" } },
    ]);
    after.dispose();
  });
});
