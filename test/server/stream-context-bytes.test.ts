/** What users of `assistant-stream/resumable` rely on: streams of bytes, on our store, on theirs, and on their own. */
import { createInMemoryResumableStreamStore as createTheirStore } from "assistant-stream/resumable";
import { describe, expect, it, vi } from "vitest";
import { streamOf } from "../support/streams.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  type ResumableStreamContextOptions,
  type ResumableStreamStore,
} from "../../src/server/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> =>
  new Response(stream).text();

function sourceOf(...chunks: readonly string[]): () => ReadableStream<Uint8Array> {
  return () => streamOf(...chunks.map(bytes));
}

/** A store of an app's own: the seven methods, without leases. */
function minimalStore(): ResumableStreamStore {
  const { acquire, append, finalize, read, status, delete: forget } = createInMemoryResumableStreamStore();
  return { acquire, append, finalize, read, status, delete: forget };
}

const stores: readonly [string, () => ResumableStreamStore][] = [
  ["rejoin's memory store", () => createInMemoryResumableStreamStore()],
  ["assistant-stream's memory store", () => createTheirStore()],
  ["a store without leases", minimalStore],
];

describe.each(stores)("a context for bytes on %s", (_name, createStore) => {
  const contextOf = (options: Partial<ResumableStreamContextOptions> = {}) =>
    createResumableStreamContext({ onError: () => {}, ...options, store: createStore() });

  it("gives the producer's caller and a later one the same bytes", async () => {
    const context = contextOf();
    const first = await context.run("s", sourceOf("a", "b", "c"));
    const second = await context.run("s", () => {
      throw new Error("a second run must not start the source");
    });
    expect(await textOf(first)).toBe("abc");
    expect(await textOf(second)).toBe("abc");
  });

  it("replays a stream that is done", async () => {
    const context = contextOf();
    await textOf(await context.run("s", sourceOf("a", "b")));
    expect(await textOf(await context.requireResume("s"))).toBe("ab");
    expect(await context.status("s")).toBe("done");
  });

  it("says that a stream is missing", async () => {
    const context = contextOf();
    expect(await context.resume("s")).toBeNull();
    expect(await context.status("s")).toBe("missing");
    await expect(context.requireResume("s")).rejects.toMatchObject({
      code: "missing",
      message: "resumable stream not found: s",
    });
  });

  it("keeps any binary, and bytes that the source uses again", async () => {
    const context = contextOf();
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    const reused = new Uint8Array(256);
    const stream = await context.run("s", async function* () {
      reused.set(all);
      yield reused;
      reused.fill(0);
    });
    expect(new Uint8Array(await new Response(stream).arrayBuffer())).toEqual(all);
  });

  it("keeps writing after its follower went away", async () => {
    const context = contextOf();
    const source = scriptedSource<Uint8Array>();
    const stream = await context.run("s", source.make);
    source.write(bytes("a"));
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    source.write(bytes("b"));
    source.end();
    expect(await textOf(await context.requireResume("s"))).toBe("ab");
    expect(source.cancelled()).toBe(false);
  });

  it("passes a source's error on after what was written", async () => {
    const finalized = vi.fn();
    const failed = vi.fn();
    const context = contextOf({ onFinalize: finalized, onError: failed });
    const source = scriptedSource<Uint8Array>();
    const stream = await context.run("s", source.make);
    source.write(bytes("a"));
    const reader = stream.getReader();
    expect(await reader.read()).toMatchObject({ value: bytes("a") });
    source.fail(new Error("boom"));
    await expect(reader.read()).rejects.toThrow("boom");
    expect(await context.status("s")).toBe("error");
    await vi.waitFor(() => expect(finalized).toHaveBeenCalledWith("s", "error", "boom"));
    expect(failed).toHaveBeenCalledWith("s", expect.objectContaining({ message: "boom" }));
  });

  it("turns a source that cannot be made into an error of the stream", async () => {
    const context = contextOf();
    const stream = await context.run("s", () => {
      throw new Error("no model");
    });
    await expect(textOf(stream)).rejects.toThrow("no model");
  });

  it("calls its hooks once each, and goes on when they fail", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const calls: unknown[][] = [];
    const note =
      (name: string, fail: boolean) =>
      (...args: unknown[]) => {
        calls.push([name, ...args]);
        if (fail) throw new Error(`${name} fails`);
        return Promise.reject(new Error(`${name} rejects`));
      };
    const waited: Promise<unknown>[] = [];
    const context = contextOf({
      onAcquire: note("acquire", true),
      onAppend: note("append", false),
      onFinalize: note("finalize", true),
      waitUntil: (promise) => waited.push(promise),
    });
    expect(await textOf(await context.run("s", sourceOf("a", "bcd")))).toBe("abcd");
    await Promise.all(waited);
    expect(waited).toHaveLength(1);
    expect(calls).toEqual([
      ["acquire", "s", "producer"],
      ["append", "s", 1],
      ["append", "s", 3],
      ["finalize", "s", "done"],
    ]);
    expect(logged).toHaveBeenCalledTimes(4);
    logged.mockRestore();
  });

  it("forgets a stream", async () => {
    const context = contextOf();
    await textOf(await context.run("s", sourceOf("a")));
    await context.delete("s");
    expect(await context.status("s")).toBe("missing");
  });

  it("keeps streams apart that run at once, also while one of them is silent", async () => {
    vi.useFakeTimers();
    try {
      const store = createStore();
      const context = createResumableStreamContext({ store, leaseMs: 900, onError: () => {} });
      const [silent, other] = [scriptedSource<Uint8Array>(), scriptedSource<Uint8Array>()];
      const texts = [
        textOf(await context.run("silent", silent.make)),
        textOf(await context.run("other", other.make)),
      ];
      silent.write(bytes("a"), bytes("b"));
      other.write(bytes("x"));
      await vi.advanceTimersByTimeAsync(1);
      other.end();
      await vi.advanceTimersByTimeAsync(2_000);
      silent.write(bytes("c"));
      silent.end();
      expect(await Promise.all(texts)).toEqual(["abc", "x"]);
      const stored = await Array.fromAsync(store.read("silent", "", new AbortController().signal));
      expect(stored).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it("refuses an id that is not one", async () => {
    const context = contextOf();
    await expect(context.run("a/b", sourceOf("a"))).rejects.toMatchObject({ code: "invalid-id" });
    await expect(context.status("")).rejects.toMatchObject({ code: "invalid-id" });
  });
});

describe("a context on a store of bytes only", () => {
  it("refuses streams of events, and says why", async () => {
    const context = createResumableStreamContext({ store: minimalStore() });
    const { textProtocol } = await import("../support/text-protocol.ts");
    await expect(
      context.run("s", () => streamOf(), { protocol: textProtocol, owner: null }),
    ).rejects.toMatchObject({
      code: "unsupported",
    });
    await expect(context.stop("s")).rejects.toMatchObject({ code: "unsupported" });
  });

  it("waits for the store iterator's cleanup when a follower is cancelled", async () => {
    const store = minimalStore();
    const cleanup = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    const cleaning = Promise.withResolvers<void>();
    const parked: ResumableStreamStore = {
      ...store,
      read: () => ({
        [Symbol.asyncIterator]: () => ({
          next() {
            reading.resolve();
            return new Promise(() => {});
          },
          async return() {
            cleaning.resolve();
            await cleanup.promise;
            return { done: true, value: undefined };
          },
        }),
      }),
    };
    const context = createResumableStreamContext({ store: parked });
    await store.acquire("s");
    const stream = await context.requireResume("s");
    const reader = stream.getReader();
    void reader.read();
    await reading.promise;
    let done = false;
    const cancelled = reader.cancel().then(() => (done = true));
    await cleaning.promise;
    expect(done).toBe(false);
    cleanup.resolve();
    await cancelled;
    expect(done).toBe(true);
  });
});
