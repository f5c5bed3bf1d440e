/**
 * `rejoin/testing/store-contract`: what every store must do, as tests for vitest. The author of another store runs it:
 *
 * ```ts
 * describeStoreContract("my store", async () => ({
 *   store: createMyStore(),
 *   pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
 *   dispose: async () => {},
 * }));
 * ```
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatCursor } from "../shared/cursor.ts";
import { isResumableStreamError } from "../shared/errors.ts";
import {
  isEventStreamStore,
  type AppendVerdict,
  type EventStreamStore,
  type FollowItem,
  type LeaseLoss,
  type ResumableStreamStore,
  type StreamOpenOptions,
  type StreamRecord,
} from "../server/stores/stream-store.ts";
import {
  STREAM_EVENTS,
  STREAM_STATES,
  STREAM_TABLE,
  stateAfter,
  type StreamEventName,
  type StreamStateName,
} from "./stream-table.ts";

/** States that no call of a store's brings about. */
export type StreamMishap = Extract<StreamStateName, "lapsed" | "vanished">;

/** A store under test. */
export interface StoreHarness<TStore extends ResumableStreamStore = ResumableStreamStore> {
  readonly store: TStore;
  /** Another instance on the same data, as another process would have; where there is such a thing. */
  readonly other?: TStore;
  /** Lets time pass, by the store's clock. */
  readonly pass: (ms: number) => Promise<void>;
  /**
   * Brings a stream into a state behind the store's back: makes its lease, of {@link LONG_LEASE_MS}, lapse so that nobody may
   * say so for as long, or loses all of it.
   */
  readonly befall?: (streamId: string, mishap: StreamMishap) => Promise<void>;
  /** Notes what there is of a stream; what it gives brings that back, where a store may come back older than it was. */
  readonly rewind?: (streamId: string) => Promise<() => Promise<void>>;
  /** Makes a store with limits, on fresh data. */
  readonly limited?: (limits: {
    maxChunkBytes?: number;
    maxEntriesPerStream?: number;
    maxStreamBytes?: number;
  }) => Promise<TStore>;
  /** Called after each test. */
  readonly dispose: () => Promise<void>;
}

/**
 * Milliseconds of the leases and lives in these tests: short, for stores whose clock cannot be moved, yet far longer than
 * the pauses of a busy machine.
 */
const LEASE_MS = 600;
const TTL_MS = 2_500;
/** Less than half of a life; three of them are more than one. */
const PART_OF_TTL_MS = TTL_MS * 0.4;
/** For tests that wait, where time cannot be moved: as long as nobody should ever have to. */
const WAITING = { timeout: 30_000 };
/** For streams that are to be lost soon. */
const LOST_LEASE_MS = 100;

const ENTRIES = ['{"n":1}', '{"n":2}'];
/** Milliseconds of the leases of streams that are not to be lost. */
export const LONG_LEASE_MS = 60_000;
const OPEN: StreamOpenOptions = { owner: "ada", protocol: "test", leaseMs: LONG_LEASE_MS };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (chunk: Uint8Array): string => new TextDecoder().decode(chunk);

let ids = 0;
const newId = (): string => `contract-${Date.now().toString(36)}-${(ids += 1)}`;

/**
 * The contract of a store of events: the table, and the contract of a store of bytes.
 *
 * @param mishaps what the harness's `befall` can bring about; none by default
 */
export function describeStoreContract(
  name: string,
  makeHarness: () => Promise<StoreHarness<EventStreamStore>>,
  mishaps: readonly StreamMishap[] = [],
): void {
  describeBytesStoreContract(name, makeHarness);
  const states = STREAM_STATES.filter(
    (state) => (state !== "lapsed" && state !== "vanished") || mishaps.includes(state),
  );

  describe(`${name}, as a store of events`, () => {
    let harness: StoreHarness<EventStreamStore>;
    let store: EventStreamStore;
    let id: string;

    beforeEach(async () => {
      harness = await makeHarness();
      store = harness.store;
      id = newId();
    });
    afterEach(() => harness.dispose());

    describe.each(states)("a stream that is %s", (state) => {
      it.each(Object.entries(STREAM_EVENTS))("%s: %s", async (event) => {
        const token = await enter(harness, id, state);
        const name = eventOf(event);
        const [result] = STREAM_TABLE[name][state].split(" → ");
        expect(await happen(store, id, token, name)).toBe(result);
        expect(await stateOf(store, id)).toBe(stateAfter(name, state));
      });
    });

    it(
      "opens with a lease that lapses: then the stream is lost, and its producer fenced",
      WAITING,
      async () => {
        const opening = await store.open(id, { ...OPEN, leaseMs: LEASE_MS });
        if (opening.role !== "producer") throw new Error("not the producer");
        const followed = collect(store, id, "");
        await store.appendBatch(id, opening.lease, 1, ENTRIES);
        expect(await passUntil(harness, followed)).toMatch(/ 1 2,.* end producer-lost$/);
        expect(await stateOf(store, id)).toBe("lost");
        expect((await store.appendBatch(id, opening.lease, 3, ["{}"])).verdict).toBe("ended");
      },
    );

    it("never loses a producer that did not promise to renew", WAITING, async () => {
      const { leaseMs: _leaseMs, ...withoutLease } = OPEN;
      await store.open(id, withoutLease);
      await harness.pass(LEASE_MS * 3);
      expect(await store.status(id)).toBe("streaming");
    });

    it("gives a new generation that is newer, and sends followers of the old one to its start", async () => {
      const lost = await enter(harness, id, "lost");
      const opening = await store.open(id, { ...OPEN, takeover: true });
      if (opening.role !== "producer") throw new Error("not the producer");
      expect(opening.record.generation > lost).toBe(true);
      await store.appendBatch(id, opening.lease, 1, ['{"n":9}']);
      expect(await collect(store, id, formatCursor(lost, 2), 3)).toBe("reset at 0, 1, live");
      expect((await store.appendBatch(id, { token: lost }, 3, ["{}"])).verdict).toBe("superseded");
    });

    it.each(["lost", "deleted"])(
      "knows its newest producer, though it came back from when the one before was %s",
      async (before) => {
        if (harness.rewind === undefined) return;
        const former = await enter(harness, id, before === "lost" ? "lost" : "streaming");
        if (before === "deleted") await store.delete(id);
        const comeBack = await harness.rewind(id);
        const opening = await store.open(id, { ...OPEN, takeover: true });
        if (opening.role !== "producer") throw new Error("not the producer");
        const { lease } = opening;
        const losses: LeaseLoss[] = [];
        store.watchLease(id, lease, (loss) => losses.push(loss));
        await store.appendBatch(id, lease, 1, ENTRIES);
        const following = (harness.other ?? store).follow(id, "", new AbortController().signal);
        const told: string[] = [];
        for await (const item of following) {
          told.push(describeItem(item));
          if (item.type !== "live") continue;
          await comeBack();
          // Whoever looks now is not misled.
          await harness.pass(300);
          expect(await store.appendBatch(id, lease, 3, ['{"n":3}'])).toEqual({ verdict: "vanished" });
          expect(await store.restore(id, lease, OPEN)).toEqual({ verdict: "ok", lastSeq: 0 });
          expect(await store.inspect(id)).toEqual(opening.record);
          await store.appendBatch(id, lease, 1, [...ENTRIES, '{"n":3}']);
          expect(losses).toEqual([]);
          await store.end(id, lease, { status: "done" }, 3);
        }
        expect(told.join(", ")).toBe("at 0, 1 2, live, 3, end done");
        expect((await store.renew(id, { token: former })).verdict).toBe("superseded");
      },
    );

    it("elects one producer among many who open at once", async () => {
      const both = [store, harness.other ?? store];
      const openings = await Promise.all(
        Array.from({ length: 50 }, (_, index) => both[index % 2]?.open(id, OPEN)),
      );
      expect(openings.filter((opening) => opening?.role === "producer")).toHaveLength(1);
    });

    it("gives the producer its answer again, which may have been lost, until something is written", async () => {
      const opening = await store.open(id, { ...OPEN, claim: "mine" });
      if (opening.role !== "producer") throw new Error("not the producer");
      expect(await (harness.other ?? store).open(id, { ...OPEN, claim: "mine" })).toEqual(opening);
      expect((await store.open(id, { ...OPEN, claim: "another" })).role).toBe("consumer");
      await store.appendBatch(id, opening.lease, 1, ENTRIES);
      expect((await store.open(id, { ...OPEN, claim: "mine" })).role).toBe("consumer");
    });

    it("takes back an acquisition to which nothing was written, for who made it", async () => {
      await store.open(id, { ...OPEN, claim: "mine" });
      await store.abandon(id, "another");
      expect(await store.status(id)).toBe("streaming");
      await store.abandon(id, "mine");
      expect(await store.status(id)).toBe("missing");
      const opening = await store.open(id, { ...OPEN, claim: "mine" });
      if (opening.role !== "producer") throw new Error("not the producer");
      await store.appendBatch(id, opening.lease, 1, ENTRIES);
      await store.abandon(id, "mine");
      expect(await store.status(id)).toBe("streaming");
    });

    it("does both, with a new generation, where that producer counts as lost meanwhile", async () => {
      const open = { ...OPEN, leaseMs: LOST_LEASE_MS, claim: "mine" };
      const opening = await store.open(id, open);
      await untilLost(harness, id);
      const again = await store.open(id, open);
      expect(again).toMatchObject({ role: "producer", record: { status: "streaming" } });
      expect(again.record.generation > opening.record.generation).toBe(true);
      await untilLost(harness, id);
      await store.abandon(id, "mine");
      expect(await store.status(id)).toBe("missing");
    });

    it("keeps owner and protocol", async () => {
      await store.open(id, OPEN);
      expect(await store.inspect(id)).toMatchObject({ owner: "ada", protocol: "test", lastSeq: 0 });
      const other = newId();
      await store.open(other, { ...OPEN, owner: null });
      expect(await store.inspect(other)).toMatchObject({ owner: null });
    });

    it("finds the newest stream of a thread key", async () => {
      const thread = `thread ${id} ✓`;
      expect(await store.find(thread)).toBeNull();
      await store.open(id, { ...OPEN, thread });
      expect(await store.find(thread)).toMatchObject({ streamId: id, record: { status: "streaming" } });
      await harness.pass(5);
      const newer = newId();
      await store.open(newer, { ...OPEN, thread });
      expect(await store.find(thread)).toMatchObject({ streamId: newer });
    });

    it("finds no stream by a key with which it was not opened", async () => {
      const thread = `thread ${id}`;
      await store.open(id, { ...OPEN, thread });
      await store.delete(id);
      expect(await store.find(thread)).toBeNull();
      await store.open(id, { ...OPEN, thread: `other ${id}` });
      expect(await store.find(thread)).toBeNull();
      expect(await store.find(`other ${id}`)).toMatchObject({ streamId: id });
      const lost = newId();
      await store.open(lost, { ...OPEN, leaseMs: LOST_LEASE_MS, thread });
      await untilLost(harness, lost);
      await store.open(lost, { ...OPEN, takeover: true });
      expect(await store.find(thread)).toBeNull();
    });

    it("finds the newest of many streams that are opened with a thread key at once", async () => {
      const both = [store, harness.other ?? store];
      const opened = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const streamId = newId();
          const opening = await both[index % 2]?.open(streamId, { ...OPEN, thread: id });
          return { streamId, generation: opening?.record.generation ?? "" };
        }),
      );
      const newest = opened.reduce((one, two) => (one.generation > two.generation ? one : two));
      for (const each of both)
        expect(await each.find(id)).toMatchObject({
          streamId: newest.streamId,
          record: { generation: newest.generation },
        });
    });

    it("tells the holder of a lease, at once, that a stop, a deletion, a lapse or a takeover took it", async () => {
      const stopped = await enter(harness, id, "streaming");
      const loss = watch(store, id, stopped);
      await (harness.other ?? store).stop(id);
      expect(await loss).toMatchObject({ verdict: "ended", end: { status: "stopped" }, lastSeq: 2 });
      const deletedId = newId();
      const deleted = await enter(harness, deletedId, "streaming");
      const deletion = watch(store, deletedId, deleted);
      await (harness.other ?? store).delete(deletedId);
      expect(await deletion).toMatchObject({ verdict: "deleted" });
      const lostId = newId();
      const opening = await store.open(lostId, { ...OPEN, leaseMs: LOST_LEASE_MS });
      if (opening.role !== "producer") throw new Error("not the producer");
      const lapse = passUntil(harness, watch(store, lostId, opening.lease.token));
      expect(await lapse).toMatchObject({ verdict: "ended", end: { error: { code: "producer-lost" } } });
      const next = await (harness.other ?? store).open(lostId, { ...OPEN, takeover: true });
      expect(next.role).toBe("producer");
      expect(await watch(store, lostId, opening.lease.token)).toEqual({ verdict: "superseded" });
    });

    it("does not take a stream that was opened anew for the one that was deleted before it", async () => {
      const deleted = await enter(harness, id, "streaming");
      const held = store.follow(id, "", new AbortController().signal)[Symbol.asyncIterator]();
      for (let item = await held.next(); item.done !== true && item.value.type !== "live";)
        item = await held.next();
      const deletion = watch(store, id, deleted);
      await (harness.other ?? store).delete(id);
      expect(await deletion).toMatchObject({ verdict: "deleted" });
      // Here somebody still has the deleted one in hand.
      const opening = await store.open(id, OPEN);
      if (opening.role !== "producer") throw new Error("not the producer");
      const loss = watch(store, id, opening.lease.token);
      const cursor = formatCursor(opening.lease.token, 0);
      expect(await collect(store, id, cursor, untilLive)).toBe("at 0, live");
      await store.stop(id);
      expect(await loss).toMatchObject({ verdict: "ended", end: { status: "stopped" } });
      await held.return?.();
    });

    it("gives entries to followers as they come, from another instance too, and then the end", async () => {
      const token = await enter(harness, id, "streaming");
      const followed = collect(harness.other ?? store, id, "");
      await store.appendBatch(id, { token }, 3, ['{"n":3}', '{"n":4}']);
      await store.end(id, { token }, { status: "done" }, 4);
      expect((await followed).replace(", live", "").replaceAll(", ", " ")).toBe("at 0 1 2 3 4 end done");
    });

    it("ends followers in the middle, on every instance, when the stream is stopped on one", async () => {
      await enter(harness, id, "streaming");
      const both = [store, harness.other ?? store];
      const followers = both.map((each) => heldUntilLive(each, id));
      const rest = await Promise.all(followers);
      await both[1]?.stop(id);
      for (const next of rest) expect(await next()).toEqual(["end stopped"]);
    });

    it("tells a follower in the middle that the stream was deleted", async () => {
      await enter(harness, id, "streaming");
      const followed = collect(store, id, "");
      await harness.pass(5);
      await (harness.other ?? store).delete(id);
      expect(await followed).toMatch(/end deleted$/);
    });

    it("tells a follower that reads an ended stream that it was deleted meanwhile", async () => {
      const opening = await store.open(id, OPEN);
      if (opening.role !== "producer") throw new Error("not the producer");
      const payloads = Array.from({ length: 5_000 }, (_, index) => `{"n":${index}}`);
      await store.appendBatch(id, opening.lease, 1, payloads);
      await store.end(id, opening.lease, { status: "done" });
      const words: string[] = [];
      for await (const item of store.follow(id, "", new AbortController().signal)) {
        if (words.length === 0) await (harness.other ?? store).delete(id);
        words.push(describeItem(item));
      }
      expect(words.at(-1)).toBe("end deleted");
    });

    it("ends its followers when it is closed, without a word", async () => {
      await enter(harness, id, "streaming");
      const items: string[] = [];
      for await (const item of store.follow(id, "", new AbortController().signal)) {
        items.push(item.type);
        if (item.type === "live") await store.close();
      }
      expect(items).toEqual(["position", "entries", "live"]);
    });

    it("tells a follower in the middle that the stream has expired", WAITING, async () => {
      const opening = await store.open(id, { owner: null, protocol: "test", ttlMs: TTL_MS });
      if (opening.role !== "producer") throw new Error("The stream was there already.");
      const followed = collect(store, id, "");
      expect(await passUntil(harness, followed)).toMatch(/end expired$/);
      // Its producer, who slept perhaps, is too late.
      expect(await store.appendBatch(id, opening.lease, 1, ["late"])).toEqual({ verdict: "deleted" });
      expect(await store.status(id)).toBe("missing");
    });

    it(
      "throws `Stream expired` at a reader in the middle of a stream that nobody writes to",
      WAITING,
      async () => {
        await store.acquire(id, { ttlMs: TTL_MS });
        await store.append(id, bytes("a"));
        const seen: string[] = [];
        const reading = (async () => {
          for await (const entry of store.read(id, "", new AbortController().signal))
            seen.push(textOf(entry.chunk));
        })();
        await expect(passUntil(harness, reading)).rejects.toThrow("Stream expired");
        expect(seen).toEqual(["a"]);
      },
    );

    it("lives on while it is written to or renewed", WAITING, async () => {
      const renewed = newId();
      const options = { ...OPEN, leaseMs: TTL_MS * 4, ttlMs: TTL_MS };
      const [writing, renewing] = [await store.open(id, options), await store.open(renewed, options)];
      if (writing.role !== "producer" || renewing.role !== "producer") throw new Error("not the producer");
      for (let seq = 1; seq <= 3; seq += 1) {
        await harness.pass(PART_OF_TTL_MS);
        expect((await store.appendBatch(id, writing.lease, seq, ["{}"])).verdict).toBe("ok");
        expect((await store.renew(renewed, renewing.lease)).verdict).toBe("ok");
      }
      expect([await store.status(id), await store.status(renewed)]).toEqual(["streaming", "streaming"]);
    });

    it("ends a follower that was aborted, without a word", async () => {
      await enter(harness, id, "streaming");
      const abort = new AbortController();
      const items: string[] = [];
      for await (const item of store.follow(id, "", abort.signal)) {
        items.push(item.type);
        if (item.type === "live") abort.abort();
      }
      expect(items).toEqual(["position", "entries", "live"]);
    });

    it("refuses a cursor that is none", async () => {
      await enter(harness, id, "streaming");
      await expect(collect(store, id, "nonsense")).rejects.toMatchObject({ code: "invalid-cursor" });
    });

    it("keeps texts as they are, and entries in pages of any size", async () => {
      const opening = await store.open(id, OPEN);
      if (opening.role !== "producer") throw new Error("not the producer");
      const payloads = Array.from({ length: 3_000 }, (_, index) =>
        JSON.stringify({ index, text: "世界 👩‍🚀 \u2028" }),
      );
      await store.appendBatch(id, opening.lease, 1, payloads);
      await store.end(id, opening.lease, { status: "done" }, payloads.length);
      const read: unknown[] = [];
      for await (const item of store.follow(id, "", new AbortController().signal)) {
        if (item.type === "entries") read.push(...item.payloads);
      }
      expect(read).toEqual(payloads);
    });

    it("takes what fits below a limit, names the limit, and keeps what it took", async () => {
      if (harness.limited === undefined) return;
      const limits = [
        { limit: "maxEntriesPerStream", most: 2, payloads: ["1", "2", "3"], lastSeq: 2 },
        { limit: "maxStreamBytes", most: 9, payloads: ["世界", "世", "x"], lastSeq: 2 },
        { limit: "maxChunkBytes", most: 5, payloads: ["12345", "123456"], lastSeq: 1 },
      ] as const;
      for (const { limit, most, payloads, lastSeq } of limits) {
        const limited = await harness.limited({ [limit]: most });
        const opening = await limited.open(id, OPEN);
        if (opening.role !== "producer") throw new Error("not the producer");
        const verdict = await limited.appendBatch(id, opening.lease, 1, payloads);
        expect(verdict).toEqual({ verdict: "limit", lastSeq, limit });
        // What is one too many is not taken when it is sent again, and the stream can still be ended.
        expect(await limited.appendBatch(id, opening.lease, lastSeq + 1, payloads.slice(lastSeq))).toEqual(
          verdict,
        );
        await limited.end(id, opening.lease, { status: "done" }, lastSeq);
        const read: unknown[] = [];
        for await (const item of limited.follow(id, "", new AbortController().signal))
          if (item.type === "entries") read.push(...item.payloads);
        expect(read).toEqual(payloads.slice(0, lastSeq));
      }
    });
  });
}

/** The contract of a store of bytes: the seven methods. */
export function describeBytesStoreContract(name: string, makeHarness: () => Promise<StoreHarness>): void {
  describe(`${name}, as a store of bytes`, () => {
    let harness: StoreHarness;
    let store: ResumableStreamStore;
    let id: string;

    beforeEach(async () => {
      harness = await makeHarness();
      store = harness.store;
      id = newId();
    });
    afterEach(() => harness.dispose());

    const read = async (
      cursor = "",
      signal: AbortSignal = new AbortController().signal,
    ): Promise<string[]> => {
      const entries: string[] = [];
      for await (const entry of store.read(id, cursor, signal)) entries.push(textOf(entry.chunk));
      return entries;
    };

    it("elects the first caller, and never another one, also after the end", async () => {
      const roles = await Promise.all([store.acquire(id), store.acquire(id), store.acquire(id)]);
      expect(roles.toSorted()).toEqual(["consumer", "consumer", "producer"]);
      await store.finalize(id, "done");
      expect(await store.acquire(id)).toBe("consumer");
    });

    it("gives the producer a lease, and a consumer none", async () => {
      if (store.acquireLease === undefined) return;
      expect(await store.acquireLease(id)).toMatchObject({
        role: "producer",
        lease: { token: expect.any(String) },
      });
      expect(await store.acquireLease(id)).toEqual({ role: "consumer" });
    });

    it("replays what was stored, goes on with what comes, and ends with the stream", async () => {
      await store.acquire(id);
      await store.append(id, bytes("a"));
      const all = read();
      await store.append(id, bytes("b"));
      await store.finalize(id, "done");
      expect(await all).toEqual(["a", "b"]);
      expect(await read()).toEqual(["a", "b"]);
    });

    it("goes on after a cursor", async () => {
      await store.acquire(id);
      for (const text of ["a", "b", "c"]) await store.append(id, bytes(text));
      await store.finalize(id, "done");
      const cursors: string[] = [];
      for await (const entry of store.read(id, "", new AbortController().signal)) cursors.push(entry.cursor);
      expect(await read(cursors[0])).toEqual(["b", "c"]);
      expect(await read(cursors[2])).toEqual([]);
    });

    it("keeps any bytes, of which nobody else has a copy", async () => {
      await store.acquire(id);
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      await store.append(id, all);
      all.fill(7);
      await store.finalize(id, "done");
      for (let time = 0; time < 2; time += 1) {
        for await (const { chunk } of store.read(id, "", new AbortController().signal)) {
          expect(Array.from(chunk)).toEqual(Array.from({ length: 256 }, (_, index) => index));
          chunk.fill(0);
        }
      }
    });

    it("throws a stored error after the stored entries, with the text that was given or `Stream errored`", async () => {
      await store.acquire(id);
      await store.append(id, bytes("a"));
      await store.finalize(id, "error", "boom");
      const seen: string[] = [];
      const reading = (async () => {
        for await (const entry of store.read(id, "", new AbortController().signal))
          seen.push(textOf(entry.chunk));
      })();
      await expect(reading).rejects.toThrow("boom");
      expect(seen).toEqual(["a"]);
      expect(await store.status(id)).toBe("error");
      id = newId();
      await store.acquire(id);
      await store.finalize(id, "error");
      await expect(read()).rejects.toThrow("Stream errored");
    });

    it("ends a reader that was aborted without throwing, also just before a stored error", async () => {
      await store.acquire(id);
      await store.append(id, bytes("a"));
      await store.finalize(id, "error", "boom");
      const abort = new AbortController();
      for await (const entry of store.read(id, "", abort.signal)) {
        expect(textOf(entry.chunk)).toBe("a");
        abort.abort();
      }
      const waiting = newId();
      id = waiting;
      await store.acquire(id);
      const second = new AbortController();
      const parked = read("", second.signal);
      second.abort();
      expect(await parked).toEqual([]);
    });

    it("refuses to append to a stream that is not there, or has ended", async () => {
      await expect(store.append(id, bytes("a"))).rejects.toThrow(`Stream not found: ${id}`);
      await store.acquire(id);
      await store.finalize(id, "done");
      await expect(store.append(id, bytes("a"))).rejects.toMatchObject({ code: "finalized" });
      await expect(store.append(id, bytes("a"))).rejects.toThrow(`Stream already finalized: ${id}`);
    });

    it("ends once: a second end changes nothing", async () => {
      await store.acquire(id);
      await store.finalize(id, "done");
      await store.finalize(id, "error", "late");
      expect(await store.status(id)).toBe("done");
      expect(await read()).toEqual([]);
    });

    it("keeps a superseded lease from appending and from ending", async () => {
      if (store.acquireLease === undefined) return;
      const first = await store.acquireLease(id);
      await store.delete(id);
      const second = await store.acquireLease(id);
      if (first.role !== "producer" || second.role !== "producer") throw new Error("not the producer");
      await expect(store.append(id, bytes("a"), first.lease)).rejects.toThrow(/superseded/);
      await expect(store.append(id, bytes("a"), first.lease)).rejects.toMatchObject({ code: "missing" });
      expect(await store.finalize(id, "done", undefined, first.lease)).toBe(false);
      await store.append(id, bytes("b"), second.lease);
      expect(await store.status(id)).toBe("streaming");
    });

    it("fences an instance without a lease whose stream was acquired anew elsewhere", async () => {
      const { other } = harness;
      if (other === undefined) return;
      await store.acquire(id);
      await other.delete(id);
      await other.acquire(id);
      await expect(store.append(id, bytes("a"))).rejects.toThrow(/superseded/);
      expect(await store.finalize(id, "done")).toBe(false);
      await other.append(id, bytes("b"));
      expect(await store.status(id)).toBe("streaming");
    });

    it("tells missing, streaming and done apart", async () => {
      expect(await store.status(id)).toBe("missing");
      await store.acquire(id);
      expect(await store.status(id)).toBe("streaming");
      await store.finalize(id, "done");
      expect(await store.status(id)).toBe("done");
    });

    it("forgets a stream: followers end, and the id is free", async () => {
      await store.acquire(id);
      await store.append(id, bytes("a"));
      const all = read();
      await harness.pass(5);
      await store.delete(id);
      await all.catch(() => []);
      expect(await store.status(id)).toBe("missing");
      expect(await store.acquire(id)).toBe("producer");
      await store.delete(newId());
    });

    it("expires a stream that nobody writes to, and refreshes one that somebody does", WAITING, async () => {
      const silent = newId();
      await store.acquire(silent, { ttlMs: TTL_MS });
      await store.acquire(id, { ttlMs: TTL_MS });
      await harness.pass(PART_OF_TTL_MS);
      await store.append(id, bytes("a"));
      await harness.pass(PART_OF_TTL_MS);
      expect(await store.status(silent)).toBe("streaming");
      await harness.pass(PART_OF_TTL_MS);
      expect([await store.status(silent), await store.status(id)]).toEqual(["missing", "streaming"]);
      expect(await store.acquire(silent)).toBe("producer");
    });

    it("refuses an id that is none", async () => {
      for (const bad of ["", "a b", "a/b", "ä", "x".repeat(257)]) {
        await expect(store.acquire(bad)).rejects.toMatchObject({ code: "invalid-id" });
      }
    });

    it("names the limit that was passed, and keeps what came before", async () => {
      if (harness.limited === undefined) return;
      const limits = { maxChunkBytes: 2, maxEntriesPerStream: 1, maxStreamBytes: 4 };
      for (const [limit, most] of Object.entries(limits)) {
        store = await harness.limited({ [limit]: most });
        await store.acquire(id);
        await store.append(id, bytes("ab"));
        await expect(store.append(id, bytes("cde"))).rejects.toThrow(new RegExp(limit));
        await expect(store.append(id, bytes("cde"))).rejects.toMatchObject({ code: "limit-exceeded" });
        await store.finalize(id, "done");
        expect(await read()).toEqual(["ab"]);
      }
    });
  });
}

/** Lets time pass until something has come about. */
async function passUntil<T>({ pass }: Pick<StoreHarness, "pass">, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => (isSettled = true));
  settled.catch(() => {});
  while (!isSettled) await pass(20);
  return settled;
}

/** Brings a stream into a state; returns its lease. */
async function enter(
  harness: StoreHarness<EventStreamStore>,
  id: string,
  state: StreamStateName,
): Promise<string> {
  const { store } = harness;
  if (state === "missing") return "000000001-gone";
  const opening = await store.open(id, state === "lost" ? { ...OPEN, leaseMs: LOST_LEASE_MS } : OPEN);
  if (opening.role !== "producer") throw new Error("not the producer");
  await store.appendBatch(id, opening.lease, 1, ENTRIES);
  if (state === "done") await store.end(id, opening.lease, { status: "done" }, 2);
  if (state === "error") {
    await store.end(
      id,
      opening.lease,
      { status: "error", error: { code: "source-failed", message: "failed" } },
      2,
    );
  }
  if (state === "stopped") await store.stop(id);
  if (state === "lapsed" || state === "vanished") {
    if (harness.befall === undefined) throw new Error(`The harness cannot make a stream be ${state}.`);
    await harness.befall(id, state);
  }
  if (state === "lost") await untilLost(harness, id);
  return opening.lease.token;
}

/** A process says that a producer is lost only after it was in touch with the store for a lease's time. */
async function untilLost(harness: StoreHarness<EventStreamStore>, id: string): Promise<void> {
  await passUntil(harness, collect(harness.store, id, ""));
}

function eventOf(name: string): StreamEventName {
  const event = Object.keys(STREAM_EVENTS).find((known): known is StreamEventName => known === name);
  if (event === undefined) throw new Error(`no such event: ${name}`);
  return event;
}

/** An older lease than any. */
const OLD = { token: "000000001-old" };

async function happen(
  store: EventStreamStore,
  id: string,
  token: string,
  event: StreamEventName,
): Promise<string> {
  const lease = { token };
  const next = '{"n":3}';
  try {
    switch (event) {
      case "open":
        return (await store.open(id, OPEN)).role;
      case "open-takeover":
        return (await store.open(id, { ...OPEN, takeover: true })).role;
      case "open-takeover-other":
        return (await store.open(id, { ...OPEN, owner: "eve", takeover: true })).role;
      case "append":
        return verdictOf(await store.appendBatch(id, lease, 3, [next]));
      case "append-repeated":
        return verdictOf(await store.appendBatch(id, lease, 2, ENTRIES.slice(1)));
      case "append-overlapping":
        return verdictOf(await store.appendBatch(id, lease, 2, [...ENTRIES.slice(1), next]));
      case "append-gap":
        return verdictOf(await store.appendBatch(id, lease, 5, [next]));
      case "append-large":
        return verdictOf(
          await store.appendBatch(id, lease, 3, ["x".repeat(store.limits.maxChunkBytes + 1), next]),
        );
      case "append-superseded":
        return verdictOf(await store.appendBatch(id, OLD, 3, [next]));
      case "renew":
        return verdictOf(await store.renew(id, lease));
      case "renew-superseded":
        return verdictOf(await store.renew(id, OLD));
      case "end-done":
        return verdictOf(await store.end(id, lease, { status: "done" }, 2));
      case "end-error":
        return verdictOf(
          await store.end(
            id,
            lease,
            { status: "error", error: { code: "source-failed", message: "failed" } },
            2,
          ),
        );
      case "end-short":
        return verdictOf(await store.end(id, lease, { status: "done" }, 3));
      case "end-superseded":
        return verdictOf(await store.end(id, OLD, { status: "done" }, 2));
      case "restore":
        return verdictOf(await store.restore(id, lease, OPEN));
      case "stop":
        return describeRecord(await store.stop(id));
      case "delete":
        await store.delete(id);
        return "nothing";
      case "legacy-append":
        await store.append(id, bytes("x"));
        return "nothing";
      case "legacy-append-superseded":
        await store.append(id, bytes("x"), OLD);
        return "nothing";
      case "legacy-finalize":
        return String(await store.finalize(id, "done"));
      case "legacy-finalize-superseded":
        return String(await store.finalize(id, "done", undefined, OLD));
      case "status":
        return await store.status(id);
      case "inspect":
        return describeRecord(await store.inspect(id));
      case "follow-start":
        return await collect(store, id, "", untilLive);
      case "follow-cursor":
        return await collect(store, id, formatCursor(token, 1), untilLive);
      case "follow-other":
        return await collect(store, id, formatCursor(OLD.token, 1), untilLive);
      case "follow-ahead":
        return await collect(store, id, formatCursor(token, 9), untilLive);
      case "read-start":
        return await readAll(store, id);
    }
  } catch (error) {
    if (isResumableStreamError(error)) return `throws ${error.code}`;
    throw error;
  }
}

function verdictOf(verdict: AppendVerdict): string {
  switch (verdict.verdict) {
    case "ok":
      return `ok ${verdict.lastSeq}`;
    case "limit":
      return `limit ${verdict.limit} ${verdict.lastSeq}`;
    case "ended":
      return `ended ${verdict.end.error?.code ?? verdict.end.status} ${verdict.lastSeq}`;
    default:
      return verdict.verdict;
  }
}

function describeRecord(record: StreamRecord | null): string {
  return record === null ? "null" : (record.error?.code ?? record.status);
}

/** The state in the table's words. A stream that was just opened is `empty`. */
async function stateOf(store: EventStreamStore, id: string): Promise<string> {
  const record = await store.inspect(id);
  if (record === null) return "missing";
  if (record.error?.code === "producer-lost") return "lost";
  return record.status === "streaming" && record.lastSeq === 0 ? "empty" : record.status;
}

/** As many items as there are until the stream is live, that one included. */
const untilLive = -1;

/** What a follower is told, in the table's words. */
async function collect(
  store: EventStreamStore,
  id: string,
  cursor: string,
  most: number = Infinity,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  const words: string[] = [];
  for await (const item of store.follow(id, cursor, signal)) {
    words.push(describeItem(item));
    if (words.length === most || (most === untilLive && item.type === "live")) break;
  }
  return words.join(", ");
}

/** Follows a stream to where it is live; gives what comes after that, to the end. */
async function heldUntilLive(store: EventStreamStore, id: string): Promise<() => Promise<string[]>> {
  const items = store.follow(id, "", new AbortController().signal)[Symbol.asyncIterator]();
  for (let item = await items.next(); item.done !== true && item.value.type !== "live";)
    item = await items.next();
  return async () => {
    const words: string[] = [];
    for (let item = await items.next(); item.done !== true; item = await items.next())
      words.push(describeItem(item.value));
    return words;
  };
}

function describeItem(item: FollowItem): string {
  switch (item.type) {
    case "position":
      return `${item.reset ? "reset " : ""}at ${item.seq}`;
    case "entries":
      return item.payloads.map((_, index) => item.firstSeq + index).join(" ");
    case "live":
      return "live";
    case "end":
      return `end ${item.end.error?.code ?? item.end.status}`;
  }
}

async function readAll(store: EventStreamStore, id: string): Promise<string> {
  const words: string[] = [];
  const abort = new AbortController();
  const record = await store.inspect(id);
  try {
    for await (const _entry of store.read(id, "", abort.signal)) {
      words.push(String(words.length + 1));
      if (record?.status === "streaming" && words.length === record.lastSeq) break;
    }
  } catch (error) {
    if (!isResumableStreamError(error) || words.length === 0) throw error;
    return `${words.join(" ")}, throws ${error.code}`;
  }
  return record?.status === "streaming" ? `${words.join(" ")}, waits` : words.join(" ");
}

function watch(store: EventStreamStore, id: string, token: string): Promise<LeaseLoss> {
  return new Promise((resolve) => void store.watchLease(id, { token }, resolve));
}

export { isEventStreamStore };
export { renderStreamTable, stateAfter, STREAM_EVENTS, STREAM_STATES, STREAM_TABLE } from "./stream-table.ts";
