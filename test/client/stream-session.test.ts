/** The session against a real handler, with checkpoints in a place that answers at once, and in one that takes its time. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { memoryCheckpoints } from "../../src/client/checkpoints/memory.ts";
import { nextTask } from "../../src/client/next-task.ts";
import { clearCheckpoints } from "../../src/client/checkpoints/checkpoint-area.ts";
import type { StreamSession } from "../../src/client/session-contract.ts";
import { laterCheckpoints } from "../support/later-checkpoints.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { createHarness, toEnd } from "../support/session-harness.ts";
import { streamOf } from "../support/streams.ts";
import { sseOf, textPayloads, textProtocol, type TextMessage } from "../support/text-protocol.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const texts = textPayloads("one ", "two ", "three");

describe.each([
  ["answers at once", memoryCheckpoints],
  ["takes its time", laterCheckpoints],
] as const)("with a place for checkpoints that %s", (_how, createCheckpoints) => {
  function writing() {
    const source = scriptedSource();
    const harness = createHarness(textProtocol, source.make, createCheckpoints());
    return { source, harness, write: (...parts: string[]) => source.write(sseOf(parts)) };
  }

  /** Lets the place do all that it was asked. */
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

  /** A session that has read its checkpoint. */
  async function restored<TMessage>(session: StreamSession<TMessage>): Promise<StreamSession<TMessage>> {
    await settle();
    return session;
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

    it("goes on where somebody who looks at it fails, and tells the others", async () => {
      const told = vi.spyOn(console, "error").mockImplementation(() => {});
      const { harness, source, write } = writing();
      const session = harness.session();
      const seen: string[] = [];
      session.subscribe(() => {
        throw new Error("a bug of the app's");
      });
      session.subscribe(() => seen.push(session.getState().status));
      await harness.start(session);
      write(...texts);
      source.end();
      await toEnd(session);
      expect(session.getState()).toMatchObject({ status: "done", error: null });
      expect(harness.requests.filter((request) => !request.startsWith("POST"))).toEqual([
        "GET /api/streams/stream-1?control=1",
      ]);
      expect(seen.at(-1)).toBe("done");
      expect(told).toHaveBeenCalled();
      told.mockRestore();
    });

    it("tells those who look at it that it is let go", async () => {
      const { harness } = writing();
      const session = harness.session();
      const seen: string[] = [];
      session.subscribe(() => seen.push(session.getState().status));
      await harness.start(session);
      session.dispose();
      expect(seen.at(-1)).toBe("idle");
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
      const after = await restored(harness.session());
      expect(after.getState()).toMatchObject({
        status: "done",
        message: { text: "one two three", status: "done" },
      });
      after.connect();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(harness.requests).toHaveLength(requests);
      after.dispose();
    });

    it("loses nothing to a page that is looked at, or left, while the checkpoint is read", async () => {
      const { harness, source, write } = writing();
      const before = harness.session();
      await harness.start(before);
      write(...texts);
      source.end();
      await toEnd(before);
      before.dispose();
      await settle();
      const after = harness.session();
      after.connect();
      harness.wake.send("visible");
      harness.wake.send("hidden");
      harness.wake.send("hide");
      await settle();
      expect(after.getState()).toMatchObject({ status: "done", message: { text: "one two three" } });
      after.dispose();
      const again = await restored(harness.session());
      expect(again.getState()).toMatchObject({ status: "done", message: { text: "one two three" } });
    });

    it("writes nothing where nothing has changed", async () => {
      const { harness, write } = writing();
      const before = harness.session();
      await harness.start(before);
      write(texts[0] ?? "");
      await vi.advanceTimersByTimeAsync(100);
      before.dispose();
      await settle();
      const set = vi.spyOn(harness.checkpoints, "set");
      const forget = vi.spyOn(harness.checkpoints, "delete");
      const [after, stranger] = [harness.session(), harness.session({ id: "never-started" })];
      harness.network = () => new Promise(() => {});
      for (const session of [after, stranger]) {
        await restored(session);
        session.connect();
        await settle();
        session.dispose();
      }
      await settle();
      expect(set).not.toHaveBeenCalled();
      expect(forget).not.toHaveBeenCalled();
    });

    it("has stored that it starts the stream before it asks for that", async () => {
      const { harness } = writing();
      const { set } = harness.checkpoints;
      let stored = 0;
      vi.spyOn(harness.checkpoints, "set").mockImplementation(async (key, value) => {
        await set(key, value);
        stored += 1;
      });
      const storedAtRequest: number[] = [];
      harness.network = (request, answer) => {
        storedAtRequest.push(stored);
        return answer(request);
      };
      const session = harness.session();
      await harness.start(session);
      expect(storedAtRequest).toEqual([1]);
      session.dispose();
    });

    it("asks for nothing when it is told to try again, and then turns out to have ended", async () => {
      const { harness, source, write } = writing();
      const before = harness.session();
      await harness.start(before);
      write(...texts);
      source.end();
      await toEnd(before);
      before.dispose();
      const requests = harness.requests.length;
      const after = harness.session();
      after.retry();
      await settle();
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
      expect(
        harness.requests.some((request) => request.startsWith("POST") && !request.includes("chat")),
      ).toBe(false);
      await vi.advanceTimersByTimeAsync(20_000);
      expect(reloaded.getState()).toMatchObject({ status: "missing", error: { code: "missing" } });
      reloaded.dispose();
      const again = await restored(harness.session());
      again.connect();
      await vi.advanceTimersByTimeAsync(10);
      expect(again.getState().status).toBe("missing");
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
      harness.network = async () =>
        new Response(answer, { headers: { "content-type": "text/event-stream" } });
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
      const found = async (options: Parameters<typeof harness.session>[0]): Promise<unknown> =>
        (await restored(harness.session(options))).getState().message;
      expect(await found({ scope: "ada" })).toBeDefined();
      expect(await found({ scope: "ada", protocol: { ...textProtocol, version: 2 } })).toBeUndefined();
      expect(await found({ scope: "eve" })).toBeUndefined();
      const eve = harness.session({ scope: "eve", id: "other" });
      eve.connect();
      expect(await found({ scope: "ada" })).toBeUndefined();
      eve.dispose();
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
      const found = await restored(harness.session({ scope: "ada" }));
      expect(found.getState().message).toBeUndefined();
      eve.dispose();
    });

    it("stores nothing any more when all is cleared, and goes on", async () => {
      const { harness, source, write } = writing();
      const session = harness.session();
      await harness.start(session);
      write(texts[0] ?? "");
      await vi.advanceTimersByTimeAsync(2_000);
      await clearCheckpoints(harness.checkpoints);
      write(...texts.slice(1));
      source.end();
      await toEnd(session);
      expect(session.getState().message).toMatchObject({ text: "one two three" });
      session.dispose();
      const stranger = await restored(harness.session());
      expect(stranger.getState()).toMatchObject({ status: "idle", message: undefined });
      // Who comes after that is kept like anybody.
      stranger.connect();
      await toEnd(stranger);
      stranger.dispose();
      await settle();
      expect((await restored(harness.session())).getState().status).toBe("done");
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
      const reloaded = await restored(harness.session());
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

    it("is kept while the request that starts the stream takes its time, and sent at once when it is answered", async () => {
      const { harness, source } = writing();
      const slow = Promise.withResolvers<void>();
      harness.network = async (request, answer) => {
        if (request.url.endsWith("/api/chat")) await slow.promise;
        return answer(request);
      };
      const session = harness.session();
      void harness.start(session);
      await settle();
      const stopped = session.stop();
      await vi.advanceTimersByTimeAsync(55_000);
      expect(session.getState().isStopping).toBe(true);
      slow.resolve();
      await vi.advanceTimersByTimeAsync(10);
      await stopped;
      expect(session.getState().status).toBe("stopped");
      expect(source.signal()?.aborted).toBe(true);
      session.dispose();
    });

    it("that could not be sent is sent at once when the page is online again", async () => {
      const { harness, source } = writing();
      const session = harness.session();
      await harness.start(session);
      harness.network = () => Promise.reject(new TypeError("Failed to fetch"));
      harness.wake.send("offline");
      const stopped = session.stop();
      await vi.advanceTimersByTimeAsync(60_000);
      harness.network = (request, answer) => answer(request);
      harness.wake.send("online");
      await vi.advanceTimersByTimeAsync(10);
      await stopped;
      expect(session.getState().status).toBe("stopped");
      expect(source.signal()?.aborted).toBe(true);
      session.dispose();
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
      const reloaded = await restored(harness.session());
      expect(reloaded.getState().isStopping).toBe(true);
      reloaded.connect();
      await toEnd(reloaded);
      expect(reloaded.getState().status).toBe("stopped");
      expect(source.signal()?.aborted).toBe(true);
    });

    it("is kept also where the store does not take so long an answer", async () => {
      const { harness, source, write } = writing();
      const { set } = harness.checkpoints;
      // As the contract has it: what is too large goes, and the one before too.
      vi.spyOn(harness.checkpoints, "set").mockImplementation((key, value) =>
        value.length > 400 ? harness.checkpoints.delete(key) : set(key, value),
      );
      const session = harness.session();
      await harness.start(session);
      write(...textPayloads("long ".repeat(100)).slice(0, 1));
      await vi.advanceTimersByTimeAsync(100);
      harness.network = () => Promise.reject(new TypeError("Failed to fetch"));
      void session.stop();
      await settle();
      session.dispose();
      harness.network = (request, answer) => answer(request);
      const reloaded = await restored(harness.session());
      expect(reloaded.getState()).toMatchObject({ message: undefined, isStopping: true });
      reloaded.connect();
      await toEnd(reloaded);
      expect(reloaded.getState()).toMatchObject({
        status: "stopped",
        message: { text: "long ".repeat(100) },
      });
      expect(source.signal()?.aborted).toBe(true);
    });

    it("is over at once where the stream turns out to have ended", async () => {
      const { harness, source, write } = writing();
      const before = harness.session();
      await harness.start(before);
      write(...texts);
      source.end();
      await toEnd(before);
      before.dispose();
      const requests = harness.requests.length;
      // Pressed before the checkpoint was read, and after.
      const after = harness.session();
      await after.stop();
      await after.stop();
      expect(after.getState()).toMatchObject({ status: "done", isStopping: false });
      expect(harness.requests).toHaveLength(requests);
      after.dispose();
    });

    it("that nobody sees through any more is not waited for, but kept", async () => {
      const { harness, source } = writing();
      const session = harness.session();
      await harness.start(session);
      harness.network = () => new Promise(() => {});
      const stopped = session.stop();
      await settle();
      session.dispose();
      await expect(stopped).rejects.toMatchObject({ code: "network" });
      harness.network = (request, answer) => answer(request);
      const reloaded = harness.session();
      reloaded.connect();
      await toEnd(reloaded);
      expect(reloaded.getState().status).toBe("stopped");
      expect(source.signal()?.aborted).toBe(true);
    });

    it("of a stream that could not be read is not repeated for who let go of it", async () => {
      const { harness } = writing();
      harness.network = async (request) =>
        new Response(null, { status: request.method === "GET" ? 403 : 503 });
      const session = harness.session();
      session.connect();
      await vi.advanceTimersByTimeAsync(10);
      const stopped = session.stop();
      await vi.advanceTimersByTimeAsync(2_000);
      const sent = harness.requests.length;
      expect(sent).toBeGreaterThan(2);
      session.stop();
      session.dispose();
      await expect(stopped).rejects.toMatchObject({ code: "network" });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(harness.requests).toHaveLength(sent + 1);
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

    it("store one mark for all events of a chunk", async () => {
      const { harness } = writing();
      const entries = texts.map((payload, index) => `id: 000000001-gen.${index + 1}\ndata: ${payload}\n\n`);
      harness.network = async () =>
        new Response(`${entries.join("")}event: rejoin.end\ndata: {"status":"done"}\n\n`, {
          headers: { "content-type": "text/event-stream" },
        });
      const session = harness.session();
      const calls: string[] = [];
      session.onEvent((payload) => calls.push(payload));
      const set = vi.spyOn(harness.checkpoints, "set");
      session.connect();
      await toEnd(session);
      await settle();
      expect(calls).toEqual(texts);
      expect(set.mock.calls.filter(([key]) => key.includes(":mark:"))).toHaveLength(1);
      session.dispose();
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
});

describe("a session that is let go while its checkpoint is read or written", () => {
  /** Lets go of a session after it was asked for something, so many turns later. */
  async function letGo(
    ask: (session: StreamSession<TextMessage>, start: () => Promise<void>) => unknown,
    turns: number,
  ): Promise<{ readonly requests: readonly string[]; readonly asked: unknown }> {
    const harness = createHarness(textProtocol, scriptedSource().make, laterCheckpoints());
    const session = harness.session();
    const asked = ask(session, () => harness.start(session));
    for (let turn = 0; turn < turns; turn += 1) await undefined;
    session.dispose();
    await vi.advanceTimersByTimeAsync(60_000);
    return { requests: harness.requests, asked };
  }

  it("asks for nothing that it was told to try again", async () => {
    const { requests } = await letGo((session) => session.retry(), 0);
    expect(requests).toEqual([]);
  });

  it.each([
    ["read", 0],
    ["written", 35],
  ] as const)("does not start its stream any more (%s), and says so", async (_what, turns) => {
    const { requests, asked } = await letGo((_session, start) => start().catch((error) => error), turns);
    expect(requests).toEqual([]);
    expect(await asked).toMatchObject({ code: "network" });
  });
});

describe("side effects whose mark takes its time", () => {
  it("wait for it, so that a page that dies meanwhile calls for nothing twice", async () => {
    const source = scriptedSource();
    const memory = memoryCheckpoints();
    const held: (() => void)[] = [];
    const harness = createHarness(textProtocol, source.make, {
      ...memory,
      set: (key, value) =>
        new Promise((resolve) => {
          const store = (): void => resolve(memory.set(key, value));
          if (key.includes(":mark:")) held.push(store);
          else store();
        }),
    });
    const calls: string[] = [];
    const before = harness.session();
    const leave = before.onEvent((payload) => calls.push(`before ${payload}`));
    await harness.start(before);
    source.write(sseOf(texts.slice(0, 2)));
    await vi.advanceTimersByTimeAsync(100);
    expect(calls).toEqual([]);
    // Who listened when the events came is called, also where it has left since.
    leave();
    held.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toEqual(texts.slice(0, 2).map((payload) => `before ${payload}`));

    before.onEvent((payload) => calls.push(`before ${payload}`));
    source.write(sseOf(texts.slice(2, 3)));
    await vi.advanceTimersByTimeAsync(100);
    // The mark arrives, and the page dies before it calls anybody.
    const mark = vi.spyOn(memory, "set");
    held.shift()?.();
    expect(mark).toHaveBeenCalledOnce();
    const after = harness.session({ checkpoints: { ...memory } });
    after.onEvent((payload) => calls.push(`after ${payload}`));
    source.write(sseOf(texts.slice(3)));
    source.end();
    await toEnd(after);
    expect(calls.filter((call) => call.startsWith("after"))).toEqual([`after ${texts[3]}`]);
    before.dispose();
    after.dispose();
  });

  it("stay in order", async () => {
    const source = scriptedSource();
    const harness = createHarness(textProtocol, source.make, laterCheckpoints());
    const session = harness.session();
    const calls: string[] = [];
    session.onEvent((payload) => calls.push(payload));
    await harness.start(session);
    for (const payload of texts) {
      source.write(sseOf([payload]));
      await nextTask();
    }
    source.end();
    await toEnd(session);
    expect(calls).toEqual(texts);
    session.dispose();
  });
});

describe("a place for checkpoints that fails", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("full"))],
  ] as const)("costs nothing but a reload's head start (it %s)", async (_how, fail) => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    const source = scriptedSource();
    const harness = createHarness(textProtocol, source.make, {
      get: fail,
      set: fail,
      delete: fail,
      retainScope: fail,
      clear: fail,
    });
    const session = harness.session();
    const calls: string[] = [];
    session.onEvent((payload) => calls.push(payload));
    await harness.start(session);
    source.write(sseOf(texts));
    source.end();
    await toEnd(session);
    expect(session.getState()).toMatchObject({ status: "done", message: { text: "one two three" } });
    expect(calls).toEqual(texts);
    expect(told).toHaveBeenCalled();
    told.mockRestore();
    session.dispose();
  });
});
