/** A follower that reads slowly, of a generation that another one took over long ago. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createInMemoryResumableStreamStore } from "../../../src/server/index.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("goes on in the new generation, whose producer is still declared lost when it is", async () => {
  const store = createInMemoryResumableStreamStore({ defaultTtlMs: 20_000 });
  const open = { owner: null, protocol: "test", leaseMs: 1_000 };
  const first = await store.open("s", open);
  if (first.role !== "producer") throw new Error("not the producer");
  await store.appendBatch("s", first.lease, 1, ["{}"]);
  const slow = store.follow("s", "", new AbortController().signal)[Symbol.asyncIterator]();
  for (const type of ["position", "entries"]) expect((await slow.next()).value).toMatchObject({ type });
  await vi.advanceTimersByTimeAsync(3_000);
  const second = await store.open("s", { ...open, takeover: true });
  if (second.role !== "producer") throw new Error("not the producer");
  for (let passedMs = 0; passedMs < 25_000; passedMs += 500) {
    await vi.advanceTimersByTimeAsync(500);
    await store.renew("s", second.lease);
  }
  expect((await slow.next()).value).toMatchObject({
    type: "position",
    reset: true,
    record: { generation: second.lease.token },
  });
  await vi.advanceTimersByTimeAsync(3_000);
  expect((await slow.next()).value).toMatchObject({ type: "end", end: { error: { code: "producer-lost" } } });
  store.dispose();
});
