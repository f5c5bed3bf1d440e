/** Rules of the producer that no request shows: what a store that fails, forgets or falls silent does to a stream. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  ResumableStreamError,
  type EventStreamStore,
  type FinishedStream,
  type ResumableStreamContextOptions,
} from "../../src/server/index.ts";
import { streamOf } from "../support/streams.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { controlOf, payloadsOf, readEvents } from "../support/sse-client.ts";
import { sseOf, textPayloads, textProtocol, type TextMessage } from "../support/text-protocol.ts";

const payloads = textPayloads("one ", "two ", "three");
const whole: TextMessage = { text: "one two three", status: "done" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Override = Partial<EventStreamStore>;

/** A context on a memory store of which a test replaces methods. */
function setUp(
  override: (store: EventStreamStore) => Override = () => ({}),
  options: Partial<ResumableStreamContextOptions> = {},
) {
  const memory = createInMemoryResumableStreamStore();
  const store: EventStreamStore = { ...memory, ...override(memory) };
  const errors: unknown[] = [];
  const finished: FinishedStream<TextMessage>[] = [];
  const done: Promise<unknown>[] = [];
  const context = createResumableStreamContext({
    onError: (_id, error) => errors.push(error),
    ...options,
    store,
    waitUntil: (promise) => done.push(promise),
  });
  const source = scriptedSource();
  const run = () =>
    context.run("s", source.make, {
      protocol: textProtocol,
      owner: null,
      control: true,
      onFinish: (answer) => finished.push(answer),
    });
  return { memory, context, source, run, errors, finished, producer: () => Promise.all(done) };
}

function unavailable(): never {
  throw new ResumableStreamError("store-unavailable", "the test's store is away");
}

describe("a store that is away when a stream is to be started", () => {
  it("may have opened the stream and lost the answer: the source is started all the same, once", async () => {
    let losses = 3;
    const { source, run, finished, producer } = setUp((store) => ({
      async open(...args) {
        const opening = await store.open(...args);
        losses -= 1;
        return losses >= 0 ? unavailable() : opening;
      },
    }));
    const running = run();
    await vi.advanceTimersByTimeAsync(1_000);
    const response = new Response(await running);
    source.write(sseOf(payloads));
    source.end();
    expect(payloadsOf(await readEvents(response))).toEqual(payloads);
    await producer();
    expect(finished).toMatchObject([{ status: "done", message: whole }]);
    expect(source.starts()).toBe(1);
  });

  it("and stays away leaves nothing behind: the next request starts the stream", async () => {
    let away = true;
    const { source, run, memory, producer } = setUp((store) => ({
      async open(...args) {
        const opening = await store.open(...args);
        return away ? unavailable() : opening;
      },
      abandon: async (...args) => (away ? unavailable() : store.abandon(...args)),
    }));
    const running = expect(run()).rejects.toMatchObject({ code: "store-unavailable" });
    await vi.advanceTimersByTimeAsync(11_000);
    await running;
    expect(await memory.status("s")).toBe("streaming");
    away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    await producer();
    expect(await memory.status("s")).toBe("missing");
    expect(source.starts()).toBe(0);
    const response = new Response(await run());
    source.write(sseOf(payloads));
    source.end();
    expect(payloadsOf(await readEvents(response))).toEqual(payloads);
    expect(source.starts()).toBe(1);
  });
});

describe("a store that is away for a moment", () => {
  it("neither stops the source nor doubles or loses an entry", async () => {
    let away = true;
    const { source, run, finished, producer } = setUp((store) => ({
      appendBatch: (...args) => (away ? unavailable() : store.appendBatch(...args)),
    }));
    const response = new Response(await run());
    source.write(sseOf(payloads));
    source.end();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(source.signal()?.aborted).toBe(false);
    away = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(payloadsOf(await readEvents(response))).toEqual(payloads);
    await producer();
    expect(finished).toMatchObject([{ status: "done", message: whole }]);
  });

  it("may have taken a batch whose answer was lost: nothing is doubled", async () => {
    let losses = 3;
    const { source, run, finished, producer } = setUp((store) => ({
      async appendBatch(...args) {
        const verdict = await store.appendBatch(...args);
        losses -= 1;
        return losses >= 0 ? unavailable() : verdict;
      },
      async end(...args) {
        const verdict = await store.end(...args);
        losses -= 1;
        return losses >= -2 ? unavailable() : verdict;
      },
    }));
    const response = new Response(await run());
    source.write(sseOf(payloads));
    source.end();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(payloadsOf(await readEvents(response))).toEqual(payloads);
    await producer();
    expect(finished).toMatchObject([{ status: "done", message: whole }]);
  });
});

describe("a store whose answers cross", () => {
  it("may tell of less, to a renewal, just after all was written: the answer is whole", async () => {
    for (let steps = 0; steps < 12; steps += 1) {
      const appended = Promise.withResolvers<void>();
      const renewed = Promise.withResolvers<void>();
      const { source, run, finished, producer } = setUp(
        (store) => ({
          async appendBatch(...args) {
            const verdict = await store.appendBatch(...args);
            await appended.promise;
            return verdict;
          },
          async renew(...args) {
            const verdict = await store.renew(...args);
            await renewed.promise;
            return verdict;
          },
        }),
        { leaseMs: 9_000 },
      );
      await (await run()).cancel();
      await vi.advanceTimersByTimeAsync(3_000);
      source.write(sseOf(payloads));
      source.end();
      await vi.advanceTimersByTimeAsync(1);
      appended.resolve();
      for (let step = 0; step < steps; step += 1) await Promise.resolve();
      renewed.resolve();
      await producer();
      expect(finished).toMatchObject([{ status: "done", message: whole }]);
    }
  });
});

describe("a store that came back shorter", () => {
  it("is sent what it lost, before its end", async () => {
    // Stands for a replica that was promoted: it tells a smaller number than it told before.
    const log: string[] = [];
    let ended = false;
    const { source, run, finished, producer } = setUp(() => ({
      async appendBatch(_id, _lease, firstSeq, batch) {
        if (firstSeq > log.length + 1) return { verdict: "ok", lastSeq: log.length };
        log.push(...batch.slice(log.length + 1 - firstSeq).map(String));
        return { verdict: "ok", lastSeq: log.length };
      },
      async end(_id, _lease, _end, lastSeq) {
        ended = log.length >= (lastSeq ?? 0);
        return { verdict: "ok", lastSeq: log.length };
      },
    }));
    await (await run()).cancel();
    source.write(sseOf(payloads.slice(0, 2)));
    await vi.waitFor(() => expect(log).toHaveLength(2));
    log.length = 1;
    source.write(sseOf(payloads.slice(2, 3)));
    await vi.waitFor(() => expect(log).toEqual(payloads.slice(0, 3)));
    log.length = 0;
    source.write(sseOf(payloads.slice(3)));
    source.end();
    await producer();
    expect(ended).toBe(true);
    expect(log).toEqual(payloads);
    expect(finished).toMatchObject([{ status: "done", message: whole }]);
  });

  it("is put back when it came back empty", async () => {
    const log: string[] = [];
    let there = true;
    const { source, run, producer } = setUp(() => ({
      async appendBatch(_id, _lease, firstSeq, batch) {
        if (!there) return { verdict: "vanished" };
        if (firstSeq <= log.length + 1) log.push(...batch.slice(log.length + 1 - firstSeq).map(String));
        return { verdict: "ok", lastSeq: log.length };
      },
      async restore() {
        there = true;
        return { verdict: "ok", lastSeq: log.length };
      },
      end: async () => ({ verdict: "ok", lastSeq: log.length }),
    }));
    await (await run()).cancel();
    source.write(sseOf(payloads.slice(0, 2)));
    await vi.waitFor(() => expect(log).toHaveLength(2));
    there = false;
    log.length = 0;
    source.write(sseOf(payloads.slice(2)));
    source.end();
    await producer();
    expect(log).toEqual(payloads);
  });
});

describe("a store that stays away", () => {
  it("ends the stream as store-unavailable after storeAwayMs, and aborts the source", async () => {
    const { source, run, finished, producer, memory } = setUp(
      () => ({ appendBatch: unavailable, end: unavailable, follow: unavailable }),
      { storeAwayMs: 5_000 },
    );
    const response = new Response(await run());
    const events = readEvents(response);
    source.write(sseOf(payloads));
    await vi.advanceTimersByTimeAsync(7_000);
    expect(source.signal()?.aborted).toBe(true);
    await producer();
    expect(finished).toMatchObject([{ status: "error", error: { code: "store-unavailable" } }]);
    expect(controlOf(await events, "rejoin.end")).toMatchObject({ error: { code: "store-unavailable" } });
    expect((await memory.inspect("s"))?.status).toBe("streaming");
  });

  it("ends a silent stream too: its renewals fail", async () => {
    const { source, run, finished, producer } = setUp(
      () => ({ appendBatch: unavailable, renew: unavailable, end: unavailable, follow: unavailable }),
      { leaseMs: 60_000, storeAwayMs: 5_000 },
    );
    const events = readEvents(new Response(await run()));
    // The first renewal is due after a third of the lease.
    await vi.advanceTimersByTimeAsync(24_000);
    expect(source.signal()?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(source.signal()?.aborted).toBe(true);
    await producer();
    expect(finished).toMatchObject([{ status: "error", error: { code: "store-unavailable" } }]);
    expect(controlOf(await events, "rejoin.end")).toMatchObject({ error: { code: "store-unavailable" } });
  });

  it("ends followers in this process that wait for it, too", async () => {
    let away = false;
    const { source, run } = setUp(
      (store) => ({
        appendBatch: (...args) => (away ? unavailable() : store.appendBatch(...args)),
        end: (...args) => (away ? unavailable() : store.end(...args)),
      }),
      { storeAwayMs: 5_000 },
    );
    const events = readEvents(new Response(await run()));
    source.write(sseOf(payloads.slice(0, 1)));
    await vi.advanceTimersByTimeAsync(100);
    away = true;
    source.write(sseOf(payloads.slice(1)));
    await vi.advanceTimersByTimeAsync(7_000);
    expect(payloadsOf(await events)).toEqual(payloads.slice(0, 1));
    expect(controlOf(await events, "rejoin.end")).toMatchObject({ error: { code: "store-unavailable" } });
  });

  it("is told the end when it is there again, so that everyone learns it", async () => {
    let away = true;
    const { source, run, producer, memory } = setUp(
      (store) => ({
        appendBatch: (...args) => (away ? unavailable() : store.appendBatch(...args)),
        end: (...args) => (away ? unavailable() : store.end(...args)),
      }),
      { storeAwayMs: 5_000, leaseMs: 60_000 },
    );
    await (await run()).cancel();
    source.write(sseOf(payloads));
    await vi.advanceTimersByTimeAsync(7_000);
    await producer();
    away = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await memory.inspect("s")).toMatchObject({
      status: "error",
      error: { code: "store-unavailable" },
    });
  });
});

describe("a store that comes back too late", () => {
  const late = { storeAwayMs: 5_000, leaseMs: 60_000 };

  it("and empty, or shorter, is given what it had, and then told that it was away", async () => {
    for (const kept of [undefined, 1]) {
      const log: string[] = [];
      const ends: unknown[] = [];
      let away = false;
      let there = true;
      const restored = vi.fn();
      const { source, run, producer, finished } = setUp(
        () => ({
          async appendBatch(_id, _lease, firstSeq, batch) {
            if (away) return unavailable();
            if (!there) return { verdict: "vanished" };
            if (firstSeq <= log.length + 1) log.push(...batch.slice(log.length + 1 - firstSeq).map(String));
            return { verdict: "ok", lastSeq: log.length };
          },
          async restore() {
            if (away) return unavailable();
            there = true;
            restored();
            return { verdict: "ok", lastSeq: log.length };
          },
          async end(_id, _lease, end, lastSeq = 0) {
            if (away) return unavailable();
            if (!there) return { verdict: "vanished" };
            if (lastSeq <= log.length) ends.push(end);
            return { verdict: "ok", lastSeq: log.length };
          },
        }),
        late,
      );
      await (await run()).cancel();
      source.write(sseOf(payloads.slice(0, 2)));
      await vi.waitFor(() => expect(log).toHaveLength(2));
      away = true;
      source.write(sseOf(payloads.slice(2)));
      await vi.advanceTimersByTimeAsync(10_000);
      await producer();
      expect(finished).toMatchObject([
        { error: { code: "store-unavailable" }, message: { text: "one two " } },
      ]);
      away = false;
      log.length = kept ?? 0;
      there = kept !== undefined;
      await vi.advanceTimersByTimeAsync(2_000);
      expect(log).toEqual(payloads.slice(0, 2));
      expect(ends).toMatchObject([{ status: "error", error: { code: "store-unavailable" } }]);
      expect(restored).toHaveBeenCalledTimes(kept === undefined ? 1 : 0);
    }
  });

  it("but had taken the end, whose answer was lost, has the whole answer: it is saved as that", async () => {
    const { source, run, producer, finished, errors } = setUp(
      (store) => ({
        async end(...args) {
          const [, , end] = args;
          const verdict = await store.end(...args);
          return end.status === "done" ? unavailable() : verdict;
        },
      }),
      late,
    );
    await (await run()).cancel();
    source.write(sseOf(payloads));
    source.end();
    await vi.advanceTimersByTimeAsync(10_000);
    await producer();
    expect(finished).toMatchObject([{ status: "done", message: whole }]);
    expect(errors).toMatchObject([{ code: "store-unavailable" }]);
  });
});

describe("a lease", () => {
  it("is renewed while the model is silent", async () => {
    const { source, run, memory } = setUp(undefined, { leaseMs: 9_000 });
    await (await run()).cancel();
    await vi.advanceTimersByTimeAsync(120_000);
    expect((await memory.inspect("s"))?.status).toBe("streaming");
    expect(source.signal()?.aborted).toBe(false);
  });

  it("that lapsed ends the stream as producer-lost, and its producer neither appends, ends nor saves", async () => {
    const onAppend = vi.fn();
    const onFinalize = vi.fn();
    const { source, run, finished, errors, producer, memory } = setUp(() => ({ renew: unavailable }), {
      leaseMs: 9_000,
      onAppend,
      onFinalize,
    });
    const response = new Response(await run());
    source.write(sseOf(payloads.slice(0, 1)));
    await vi.advanceTimersByTimeAsync(12_000);
    const events = await readEvents(response);
    expect(controlOf(events, "rejoin.end")).toMatchObject({ error: { code: "producer-lost" } });
    expect(source.signal()?.aborted).toBe(true);
    await producer();
    expect(finished).toEqual([]);
    expect(onFinalize).not.toHaveBeenCalled();
    expect(onAppend).toHaveBeenCalledOnce();
    expect(errors).toHaveLength(1);
    expect((await memory.inspect("s"))?.lastSeq).toBe(1);
  });

  it("that lapsed may be taken over: followers start anew", async () => {
    const { context, run, memory } = setUp(() => ({ renew: unavailable }), { leaseMs: 9_000 });
    await (await run()).cancel();
    await vi.advanceTimersByTimeAsync(12_000);
    const lost = (await memory.inspect("s"))?.generation ?? "";
    const again = await context.run("s", () => streamOf(sseOf(payloads)), {
      protocol: textProtocol,
      owner: null,
      control: true,
      cursor: `${lost}.0`,
      takeover: true,
    });
    const events = await readEvents(new Response(again));
    expect(events[0]?.event).toBe("rejoin.reset");
    expect(payloadsOf(events)).toEqual(payloads);
    expect((await memory.inspect("s"))?.generation.localeCompare(lost)).toBe(1);
  });

  it("that lapsed is not taken over unasked, nor by another owner", async () => {
    const { context, run } = setUp(() => ({ renew: unavailable }), { leaseMs: 9_000 });
    await (await run()).cancel();
    await vi.advanceTimersByTimeAsync(12_000);
    const source = scriptedSource();
    const options = { protocol: textProtocol, owner: null, control: true };
    const response = new Response(await context.run("s", source.make, options));
    expect(controlOf(await readEvents(response), "rejoin.end")).toMatchObject({
      error: { code: "producer-lost" },
    });
    await expect(
      context.run("s", source.make, { ...options, owner: "eve", takeover: true }),
    ).rejects.toMatchObject({ code: "missing" });
    expect(source.starts()).toBe(0);
  });
});

describe("a source", () => {
  it("that ignores its signal does not keep a stopped stream from its end", async () => {
    const { context, run, finished, producer } = setUp();
    const response = new Response(await run());
    await context.stop("s");
    expect(controlOf(await readEvents(response), "rejoin.end")).toEqual({ status: "stopped" });
    await producer();
    expect(finished).toMatchObject([{ status: "stopped" }]);
  });

  it("that never becomes a stream does not either", async () => {
    const { context, finished, producer } = setUp();
    const never = () => new Promise<ReadableStream<string>>(() => {});
    const response = new Response(
      await context.run("s", never, {
        protocol: textProtocol,
        owner: null,
        control: true,
        onFinish: (answer) => finished.push(answer),
      }),
    );
    await context.stop("s");
    expect(controlOf(await readEvents(response), "rejoin.end")).toEqual({ status: "stopped" });
    await producer();
    expect(finished).toHaveLength(1);
  });

  it("may be a Response of the model's, and is an error when that is not ok", async () => {
    const { context } = setUp();
    const options = { protocol: textProtocol, owner: null, control: true };
    const good = await context.run("good", async () => new Response(sseOf(payloads)), options);
    expect(payloadsOf(await readEvents(new Response(good)))).toEqual(payloads);
    const bad = await context.run("bad", async () => new Response("quota", { status: 429 }), options);
    expect(controlOf(await readEvents(new Response(bad)), "rejoin.end")).toMatchObject({
      error: { code: "source-failed" },
    });
  });

  it("whose error the app can explain tells users so", async () => {
    const { context } = setUp(undefined, {
      toPublicError: (error) => (error instanceof RangeError ? "The model is busy. Try again." : undefined),
    });
    const options = { protocol: textProtocol, owner: null, control: true };
    const fail = (error: Error) => () => Promise.reject<ReadableStream<string>>(error);
    const told = await readEvents(
      new Response(await context.run("a", fail(new RangeError("quota 7/7")), options)),
    );
    expect(controlOf(told, "rejoin.end")).toMatchObject({
      error: { message: "The model is busy. Try again." },
    });
    const untold = await readEvents(new Response(await context.run("b", fail(new Error("db-7")), options)));
    expect(controlOf(untold, "rejoin.end")).toMatchObject({
      error: { message: "The answer could not be completed." },
    });
  });

  it("faster than its store is paced, and loses nothing", async () => {
    const { context, memory } = setUp((store) => ({
      async appendBatch(...args) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        return store.appendBatch(...args);
      },
    }));
    let yielded = 0;
    async function* fast() {
      for (let index = 0; index < 3_000; index += 1) {
        yielded += 1;
        yield { t: "x".repeat(1_000) };
      }
      yield { end: true };
    }
    await (await context.run("s", fast, { protocol: textProtocol, owner: null })).cancel();
    await vi.advanceTimersByTimeAsync(5);
    expect(yielded).toBeLessThan(1_100);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await memory.inspect("s")).toMatchObject({ status: "done", lastSeq: 3_001 });
  });
});

describe("onFinish", () => {
  it("that fails is reported, and changes nothing", async () => {
    const { context, errors, memory, producer } = setUp();
    const stream = await context.run("s", () => streamOf(sseOf(payloads)), {
      protocol: textProtocol,
      owner: null,
      onFinish: () => Promise.reject(new Error("database is full")),
    });
    await new Response(stream).text();
    await producer();
    expect(errors).toMatchObject([{ message: "database is full" }]);
    expect((await memory.inspect("s"))?.status).toBe("done");
  });
});

describe("a context that is closed", () => {
  it("while a stream is being started neither starts its source nor leaves it behind", async () => {
    const opened = Promise.withResolvers<void>();
    const { context, source, run, memory } = setUp((store) => ({
      async open(...args) {
        const opening = await store.open(...args);
        await opened.promise;
        return opening;
      },
    }));
    const running = expect(run()).rejects.toMatchObject({ code: "store-unavailable" });
    await vi.advanceTimersByTimeAsync(1);
    const closing = context.close();
    opened.resolve();
    await running;
    await closing;
    expect(source.starts()).toBe(0);
    expect(await memory.status("s")).toBe("missing");
  });

  it("waits neither for a store that is away nor for an `onFinish` that never comes back", async () => {
    const hanging = setUp();
    await hanging.context.run("hangs", () => streamOf(sseOf(payloads)), {
      protocol: textProtocol,
      owner: null,
      onFinish: () => new Promise(() => {}),
    });
    const away = setUp(() => ({ appendBatch: unavailable, end: unavailable }), { storeAwayMs: 60_000 });
    await (await away.run()).cancel();
    away.source.write(sseOf(payloads));
    await vi.advanceTimersByTimeAsync(1_000);
    let closed = 0;
    for (const { context } of [hanging, away]) void context.close().then(() => (closed += 1));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(closed).toBe(2);
    expect(away.source.signal()?.aborted).toBe(true);
    expect(away.finished).toHaveLength(1);
  });
});

describe("a follower", () => {
  it("gets a sign of life when nothing is said", async () => {
    const { run, source, context } = setUp(undefined, { heartbeatMs: 1_000 });
    const reader = (await run()).pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toContain("rejoin.live");
    const beat = reader.read();
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await beat).value).toBe(": heartbeat\n\n");
    const event = reader.read();
    source.write(sseOf(payloads.slice(0, 1)));
    expect((await event).value).toContain(payloads[0]);
    await reader.cancel();
    await context.close();
  });
});

describe("options that contradict each other", () => {
  it("throw at construction", () => {
    const store = createInMemoryResumableStreamStore();
    expect(() => createResumableStreamContext({ store, ttlMs: 5_000, leaseMs: 10_000 })).toThrow(
      /ttlMs \(5000\).*leaseMs \(10000\)/,
    );
    expect(() => createResumableStreamContext({ store, leaseMs: 0 })).toThrow(/leaseMs/);
    expect(() => createInMemoryResumableStreamStore({ maxChunkBytes: -1 })).toThrow(/maxChunkBytes/);
  });
});
