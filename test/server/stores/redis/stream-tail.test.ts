import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RedisInspection, RedisState } from "../../../../src/server/stores/redis/replies.ts";
import { StreamTail, type TailSource } from "../../../../src/server/stores/redis/stream-tail.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LEASE_MS = 60_000;

const stateAt = (lastSeq: number, status: "streaming" | "done" = "streaming"): RedisState => ({
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
function startTail(
  answer: () => Promise<RedisInspection>,
  needed: () => number = () => 1,
  source: Partial<TailSource> = {},
) {
  const inspect = vi.fn<(known: string | undefined) => Promise<RedisInspection>>(answer);
  const tail = new StreamTail({
    inspect,
    patienceMs: () => 0,
    onUntold: () => {},
    checkMs: 10_000,
    ...source,
  });
  tail.listen(needed);
  return { tail, inspect };
}

/** Looks only where it has a reason to. */
const NEVER_TO_BE_SURE = { checkMs: 1_000_000 };
/** A look comes a little after the time that it is for: Redis' clock is the judge. */
const SLACK_MS = 50;

/** Expects the next look after so many milliseconds, and not before. */
async function expectLookAfter({ inspect }: ReturnType<typeof startTail>, ms: number): Promise<void> {
  const before = inspect.mock.calls.length;
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(inspect).toHaveBeenCalledTimes(before);
  await vi.advanceTimersByTimeAsync(1);
  expect(inspect).toHaveBeenCalledTimes(before + 1);
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

  it("gives whoever asks a reading that is no older than that, however close an earlier answer is", async () => {
    for (let steps = 0; steps < 12; steps += 1) {
      const answer = Promise.withResolvers<RedisInspection>();
      const { tail, inspect } = startTail(async () => stateAt(1));
      inspect.mockImplementationOnce(() => answer.promise);
      void tail.refresh();
      answer.resolve("deleted");
      for (let step = 0; step < steps; step += 1) await Promise.resolve();
      await tail.refresh();
      expect(tail.inspection).toEqual(stateAt(1));
      tail.close();
    }
  });

  it("waits for a stream that vanished as long as its producer may take to notice", async () => {
    const { tail, inspect } = startTail(async () => stateAt(1));
    await tail.refresh();
    inspect.mockResolvedValue("absent");
    await tail.refresh();
    await vi.advanceTimersByTimeAsync(LEASE_MS - 1_000);
    expect(tail.lost).toBe(false);
    expect(tail.inspection).toEqual(stateAt(1));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(tail.lost).toBe(true);
    tail.close();
  });

  it("says so when a look shows what it was not told", async () => {
    let state = stateAt(5);
    const onUntold = vi.fn();
    const { tail } = startTail(async () => state, undefined, { onUntold });
    await tail.refresh();
    tail.hear(appended(6));
    state = stateAt(6);
    await tail.refresh();
    expect(onUntold).not.toHaveBeenCalled();
    state = stateAt(7);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(tail.lastSeq).toBe(7);
    expect(onUntold).toHaveBeenCalledOnce();
    tail.close();
  });

  it("looks for nothing older than what it knows", async () => {
    const { tail, inspect } = startTail(async () => stateAt(1));
    await tail.refresh();
    await tail.refresh();
    expect(inspect.mock.calls).toEqual([[undefined], ["g"]]);
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

describe("a tail of a stream whose producer is silent", () => {
  it("looks at its lease once that has lapsed, counted from the last sign of life", async () => {
    const started = startTail(async () => stateAt(5), undefined, NEVER_TO_BE_SURE);
    await started.tail.refresh();
    await vi.advanceTimersByTimeAsync(LEASE_MS / 2);
    started.tail.hear(renewed(5));
    await vi.advanceTimersByTimeAsync(LEASE_MS / 2);
    started.tail.hear(appended(6));
    await expectLookAfter(started, LEASE_MS + SLACK_MS);
    started.tail.close();
  });

  it("waits with that until this process may say what it finds", async () => {
    const inTouchAt = performance.now() + LEASE_MS * 1.5;
    const patienceMs = () => Math.max(0, inTouchAt - performance.now());
    const started = startTail(async () => stateAt(5), undefined, { ...NEVER_TO_BE_SURE, patienceMs });
    await started.tail.refresh();
    await expectLookAfter(started, LEASE_MS * 1.5);
    started.tail.close();
  });

  it("looks once the stream's time is over", async () => {
    const expiring = { ...stateAt(5), leaseMs: null, leaseUntil: null, expiresAt: 7_000, ttlMs: 9_000 };
    const started = startTail(async () => expiring, undefined, NEVER_TO_BE_SURE);
    await started.tail.refresh();
    await vi.advanceTimersByTimeAsync(6_000);
    started.tail.hear(renewed(5));
    await expectLookAfter(started, 9_000 + SLACK_MS);
    started.tail.close();
  });

  it("looks now and then, to be sure", async () => {
    const started = startTail(async () => stateAt(5));
    await started.tail.refresh();
    await expectLookAfter(started, 10_000);
    await expectLookAfter(started, 10_000);
    started.tail.close();
  });

  it("looks no more once it is closed", async () => {
    const { tail, inspect } = startTail(async () => stateAt(5));
    await tail.refresh();
    tail.close();
    await vi.advanceTimersByTimeAsync(LEASE_MS * 2);
    expect(inspect).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a tail of a stream that Redis has lost before its time", () => {
  /** Of which Redis has lost a stream that was at 5, and somebody who counts what it is told. */
  async function startLostTail() {
    let answer: RedisInspection = { ...stateAt(5), leaseMs: 10_000, leaseUntil: 10_000 };
    const told = vi.fn(() => 1);
    const started = startTail(async () => answer, told, NEVER_TO_BE_SURE);
    await started.tail.refresh();
    answer = "absent";
    await started.tail.refresh();
    told.mockClear();
    return { ...started, told, comeBack: (state: RedisState) => void (answer = state) };
  }

  it("tells nobody, and looks for it every half second", async () => {
    const started = await startLostTail();
    for (let time = 0; time < 10; time += 1) await expectLookAfter(started, 500);
    expect(started.told).not.toHaveBeenCalled();
    expect(started.tail).toMatchObject({ lost: false, lastSeq: 5, generation: "g" });
    started.tail.close();
  });

  it("goes on when its producer has put it back", async () => {
    const started = await startLostTail();
    started.comeBack(stateAt(0));
    await vi.advanceTimersByTimeAsync(500);
    expect(started.told).toHaveBeenCalledOnce();
    expect(started.tail).toMatchObject({ lost: false, lastSeq: 0 });
    started.tail.hear('a g 0 2\n{"n":1}\n{"n":2}');
    expect(started.tail.entriesFrom("g", 1)).toHaveLength(2);
    // It was there in between: the next loss is looked for anew.
    await expectLookAfter(started, LEASE_MS + SLACK_MS);
    started.tail.close();
  });

  it("gives it up when nobody has put it back for longer than a producer takes to notice", async () => {
    const { tail, told } = await startLostTail();
    await vi.advanceTimersByTimeAsync(14_500);
    expect([tail.lost, told.mock.calls.length]).toEqual([false, 0]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([tail.lost, tail.inspection, told.mock.calls.length]).toEqual([true, "absent", 1]);
    expect(vi.getTimerCount()).toBe(0);
    tail.close();
  });

  it("is told at once of one that was deleted, or has expired", async () => {
    for (const end of ["deleted", "expired"] as const) {
      let answer: RedisInspection = stateAt(5);
      const { tail } = startTail(async () => answer);
      await tail.refresh();
      answer = end;
      await tail.refresh();
      expect([tail.inspection, tail.lost]).toEqual([end, false]);
      tail.close();
    }
  });
});
