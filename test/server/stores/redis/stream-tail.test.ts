import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RedisInspection } from "../../../../src/server/stores/redis/replies.ts";
import { StreamTail } from "../../../../src/server/stores/redis/stream-tail.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LEASE_MS = 60_000;

const stateAt = (lastSeq: number, status: "streaming" | "done" = "streaming"): RedisInspection => ({
  record: { generation: "g", status, lastSeq, owner: null, protocol: "test" },
  leaseUntil: LEASE_MS,
  leaseMs: LEASE_MS,
  expiresAt: 1_000_000,
  ttlMs: 1_000_000,
  now: 0,
});

const appended = (seq: number): string => `a g ${seq - 1} ${seq}\n{"n":${seq}}`;
const renewed = (seq: number): string => `r g ${seq}`;

/** A tail whose readings a test answers, and somebody who needs its entries from a number on. */
function startTail(answer: () => Promise<RedisInspection>, needed: () => number = () => 1) {
  const inspect = vi.fn<() => Promise<RedisInspection>>(answer);
  const tail = new StreamTail({ inspect, patienceMs: () => 0, onSleep: () => {}, checkMs: 10_000 });
  tail.listen(needed);
  return { tail, inspect };
}

describe("a tail", () => {
  it("takes no step back for what was told before it read, and heard after it", async () => {
    let state = stateAt(5);
    const { tail, inspect } = startTail(async () => state);
    await tail.refresh();
    state = stateAt(5, "done");
    await tail.refresh();
    for (const message of [appended(4), renewed(4)]) {
      tail.hear(message);
      // A follower that is behind reads the log up to here: no further, if this were less, before the end.
      expect(tail.lastSeq).toBe(5);
      expect(tail.entriesFrom("g", 4)).toBeUndefined();
    }
    await vi.waitUntil(() => inspect.mock.calls.length >= 3);
    expect(tail.lastSeq).toBe(5);
    tail.close();
  });

  it("takes a step back when Redis has lost entries", async () => {
    let state = stateAt(5);
    const { tail } = startTail(async () => state);
    await tail.refresh();
    state = stateAt(3);
    tail.hear(renewed(3));
    await vi.waitUntil(() => tail.lastSeq === 3);
    tail.hear(appended(4));
    expect(tail.lastSeq).toBe(4);
    expect(tail.entriesFrom("g", 4)).toEqual(['{"n":4}']);
    tail.close();
  });

  it("takes no step back for what it read before it was told of more", async () => {
    let state = stateAt(5);
    const { tail, inspect } = startTail(async () => state);
    await tail.refresh();
    const before = Promise.withResolvers<RedisInspection>();
    inspect.mockImplementationOnce(() => before.promise);
    const reading = tail.refresh();
    tail.hear(appended(6));
    state = stateAt(6);
    before.resolve(stateAt(5));
    await reading;
    expect(tail.lastSeq).toBe(6);
    tail.close();
  });

  it("keeps what somebody has yet to read, and no more", async () => {
    const { tail } = startTail(
      async () => stateAt(0),
      () => next,
    );
    let next = 1;
    await tail.refresh();
    for (const seq of [1, 2]) tail.hear(appended(seq));
    expect(tail.entriesFrom("g", 1)).toHaveLength(2);
    next = 3;
    tail.hear(appended(3));
    expect(tail.entriesFrom("g", 2)).toBeUndefined();
    expect(tail.entriesFrom("g", 3)).toHaveLength(1);
    tail.close();
  });

  it("looks again soon when it could not look", async () => {
    const { tail, inspect } = startTail(async () => stateAt(5));
    await tail.refresh();
    inspect.mockRejectedValueOnce(new Error("away"));
    await expect(tail.refresh()).rejects.toThrow("away");
    inspect.mockResolvedValue(stateAt(5, "done"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(tail.inspection).toMatchObject({ record: { status: "done" } });
    tail.close();
  });
});
