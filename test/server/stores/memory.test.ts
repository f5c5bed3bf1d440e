/** What the memory store has beyond the contract: its bounds, its clock and its timers. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createInMemoryResumableStreamStore,
  type EventStreamStore,
  type InMemoryResumableStreamStore,
  type InMemoryResumableStreamStoreOptions,
} from "../../../src/server/index.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const OPEN = { owner: null, protocol: "test" } as const;
const LEASED = { ...OPEN, leaseMs: 10_000 } as const;

let store: InMemoryResumableStreamStore;
const create = (options?: InMemoryResumableStreamStoreOptions): InMemoryResumableStreamStore =>
  (store = createInMemoryResumableStreamStore(options));
afterEach(() => store.dispose());

async function openAs(streamId: string, options: Parameters<EventStreamStore["open"]>[1] = OPEN) {
  const opening = await store.open(streamId, options);
  if (opening.role !== "producer") throw new Error("not the producer");
  return opening.lease;
}

/** What a follower has been told up to now, in short. */
function follow(streamId: string): string[] {
  const told: string[] = [];
  void (async () => {
    for await (const item of store.follow(streamId, "", new AbortController().signal))
      told.push(item.type === "end" ? (item.end.error?.code ?? item.end.status) : item.type);
    told.push("over");
  })();
  return told;
}

describe("its streams", () => {
  it("are bounded: one more is refused, and says what to do", async () => {
    create({ maxStreams: 2 });
    await openAs("one");
    const lease = await openAs("two");
    await store.end("two", lease, { status: "done" });
    await expect(store.open("three", OPEN)).rejects.toMatchObject({
      code: "limit-exceeded",
      message: expect.stringContaining("maxStreams exceeded (2)"),
    });
    await expect(store.acquire("three")).rejects.toThrow("maxStreams exceeded");
    expect(await store.status("three")).toBe("missing");
    expect(await store.acquire("one")).toBe("consumer");
  });

  it("have room again when one of them was deleted, or has expired, before it was swept", async () => {
    let nowMs = 1_000_000;
    create({ maxStreams: 2, now: () => nowMs });
    await openAs("one", { ...OPEN, ttlMs: 1_000 });
    await openAs("two");
    await store.delete("two");
    await openAs("three");
    await expect(store.open("four", OPEN)).rejects.toThrow("maxStreams exceeded");
    nowMs += 1_000;
    await openAs("four");
    expect(await store.status("one")).toBe("missing");
  });

  it("live for 24 hours after their last sign of life, or as long as the app says", async () => {
    create();
    await openAs("by-default");
    await vi.advanceTimersByTimeAsync(24 * 60 * 60 * 1_000 - 1);
    expect(await store.status("by-default")).toBe("streaming");
    await vi.advanceTimersByTimeAsync(1);
    expect(await store.status("by-default")).toBe("missing");
    store.dispose();
    create({ defaultTtlMs: 5_000 });
    await openAs("as-it-says");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await store.status("as-it-says")).toBe("missing");
  });
});

describe("its clock", () => {
  it("is the app's, where the app has one", async () => {
    let nowMs = 5;
    create({ now: () => nowMs, defaultTtlMs: 10 });
    const lease = await openAs("s");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await store.status("s")).toBe("streaming");
    nowMs = 14;
    await store.appendBatch("s", lease, 1, ["{}"]);
    nowMs = 23;
    expect(await store.status("s")).toBe("streaming");
    nowMs = 24;
    expect(await store.status("s")).toBe("missing");
  });
});

describe("its sweep", () => {
  it("tells the followers of streams that have expired, not more often than gcIntervalMs", async () => {
    create({ gcIntervalMs: 5_000 });
    await openAs("one", { ...OPEN, ttlMs: 10 });
    await openAs("two", { ...OPEN, ttlMs: 5_010 });
    const [one, two] = [follow("one"), follow("two")];
    await vi.advanceTimersByTimeAsync(4_999);
    expect([one.at(-1), two.at(-1)]).toEqual(["live", "live"]);
    await vi.advanceTimersByTimeAsync(1);
    expect([one.at(-1), two.at(-1)]).toEqual(["over", "live"]);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(two.at(-1)).toBe("live");
    await vi.advanceTimersByTimeAsync(1);
    expect(two.slice(-2)).toEqual(["expired", "over"]);
  });

  it("is one timer's work, and no append's", async () => {
    let nowMs = 1_000_000;
    create({ now: () => nowMs });
    const lease = await openAs("mine");
    for (let count = 0; count < 100; count += 1) await openAs(`other-${count}`, { ...OPEN, ttlMs: 1_000 });
    const told = follow("other-7");
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(1);
    nowMs += 2_000;
    await store.appendBatch("mine", lease, 1, ["{}"]);
    await store.renew("mine", lease);
    await vi.advanceTimersByTimeAsync(0);
    expect(told.at(-1)).toBe("live");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told.slice(-2)).toEqual(["expired", "over"]);
  });
});

describe.each([
  ["dispose", () => store.dispose()],
  ["close", () => store.close()],
  ["the end of an `await using` block", () => store[Symbol.asyncDispose]()],
])("%s", (_how, close) => {
  it("ends its timers, and its followers without a word", async () => {
    create();
    const lease = await openAs("s", LEASED);
    const told = follow("s");
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(2);
    await close();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(told).toEqual(["position", "live", "over"]);
    // What comes late, such as a producer's end, still finds its stream, and starts no timer.
    expect(await store.renew("s", lease)).toEqual({ verdict: "ok", lastSeq: 0 });
    await openAs("late", { ...LEASED, ttlMs: 20_000 });
    expect(vi.getTimerCount()).toBe(0);
  });
});
