/** Law: whatever happens to a stream, in whatever order, each event gives what the table says, and readers read the log. */
import fc from "fast-check";
import { expect } from "vitest";
import { formatCursor } from "../../../src/shared/cursor.ts";
import {
  appendEntries,
  condemnProducer,
  endStream,
  openStream,
  renewLease,
  stopStream,
  type StreamState,
} from "../../../src/server/stores/stream-state.ts";
import type { EventStreamStore, FollowItem, StoredEnd } from "../../../src/server/stores/stream-store.ts";
import { LEASE_MS, type LawHarness } from "./law-harness.ts";

const OPEN = { owner: "ada", protocol: "test", leaseMs: LEASE_MS } as const;
const TTL_MS = 86_400_000;
const FAILED: StoredEnd = { status: "error", error: { code: "source-failed", message: "It failed." } };

/** What may happen. `lease` and `reader` are taken modulo how many there are. */
type Event =
  | { readonly type: "open"; readonly takeover: boolean; readonly owner: string; readonly at: 0 | 1 }
  | {
      readonly type: "append";
      readonly lease: number;
      readonly back: number;
      readonly count: number;
      readonly at: 0 | 1;
    }
  | { readonly type: "renew" | "restore"; readonly lease: number; readonly at: 0 | 1 }
  | { readonly type: "end"; readonly lease: number; readonly failed: boolean; readonly beyond: number }
  | { readonly type: "stop"; readonly at: 0 | 1 }
  | { readonly type: "delete"; readonly at: 0 | 1 }
  | { readonly type: "lapse" }
  | { readonly type: "read"; readonly reader: number; readonly most: number; readonly at: 0 | 1 };

const at = fc.constantFrom<0 | 1>(0, 1);
const lease = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(5));

/** Events, most of them of a producer that writes and of readers that read. */
export const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant("open" as const),
        takeover: fc.boolean(),
        owner: fc.constantFrom("ada", "ada", "eve"),
        at,
      }),
    },
    {
      weight: 8,
      // `back`: how many entries before the log's end it begins. Above 0 its answer was lost before; -1 leaves a gap.
      arbitrary: fc.record({
        type: fc.constant("append" as const),
        lease,
        back: fc.integer({ min: -1, max: 4 }),
        count: fc.integer({ min: 1, max: 5 }),
        at,
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("renew", "restore"), lease, at }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("end" as const),
        lease,
        failed: fc.boolean(),
        beyond: fc.nat(1),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("stop" as const), at }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("delete" as const), at }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("lapse" as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("read" as const),
        reader: fc.nat(2),
        most: fc.integer({ min: 1, max: 12 }),
        at,
      }),
    },
  ),
  { minLength: 3, maxLength: 30 },
);

interface Reader {
  cursor: string;
  /** Index of the generation that it has read, and how many of its entries. */
  generation: number;
  seq: number;
}

/** Lets the events happen to a fresh stream, and to the table beside it. */
export async function expectTable(harness: LawHarness, happening: readonly Event[]): Promise<void> {
  const id = `law-${crypto.randomUUID()}`;
  let state: StreamState | null = null;
  let clockMs = 1_800_000_000_000;
  /** The store's tokens and the table's, of each acquisition. */
  const tokens: { readonly real: string; readonly table: string }[] = [];
  let logs: string[][] = [];
  const readers: Reader[] = Array.from({ length: 3 }, () => ({ cursor: "", generation: -1, seq: 0 }));

  for (const event of happening) {
    clockMs += 1;
    switch (event.type) {
      case "open": {
        const options = { ...OPEN, owner: event.owner, takeover: event.takeover };
        const expected = openStream(state, { ...options, ttlMs: TTL_MS }, clockMs);
        const real = await harness.stores[event.at].open(id, options);
        expect(real.role).toBe(expected.result.role);
        expect(real.record).toEqual({ ...expected.result.record, generation: real.record.generation });
        state = expected.state;
        if (real.role !== "producer" || expected.result.role !== "producer") break;
        const last = tokens.at(-1);
        if (last !== undefined) expect(real.lease.token > last.real).toBe(true);
        tokens.push({ real: real.lease.token, table: expected.result.lease.token });
        logs = [...logs, []];
        break;
      }
      case "append": {
        const held = heldBy(event.lease);
        if (held === undefined) break;
        const { store, token } = { store: harness.stores[event.at], token: held.token };
        const firstSeq = Math.max(1, (state?.lastSeq ?? 0) + 1 - event.back);
        const payloads = Array.from({ length: event.count }, (_, index) =>
          entry(held.index, firstSeq + index),
        );
        const sizes = payloads.map((payload) => payload.length);
        const expected = appendEntries(state, token.table, firstSeq, sizes, store.limits, clockMs);
        expect(await store.appendBatch(id, { token: token.real }, firstSeq, payloads)).toEqual(
          expected.result.verdict,
        );
        logs[held.index]?.push(...payloads.slice(expected.result.from, expected.result.to));
        state = expected.state;
        break;
      }
      case "renew":
      case "restore": {
        const held = heldBy(event.lease);
        if (held === undefined) break;
        // What was not lost is not put back: that is no more than a renewal.
        const expected = renewLease(state, held.token.table, clockMs);
        const store = harness.stores[event.at];
        const lease = { token: held.token.real };
        expect(
          event.type === "renew" ? await store.renew(id, lease) : await store.restore(id, lease, OPEN),
        ).toEqual(expected.result);
        state = expected.state;
        break;
      }
      case "end": {
        const held = heldBy(event.lease);
        if (held === undefined) break;
        const end: StoredEnd = event.failed ? FAILED : { status: "done" };
        const lastSeq = (state?.lastSeq ?? 0) + event.beyond;
        const expected = endStream(state, held.token.table, end, lastSeq, clockMs);
        expect(await harness.stores[0].end(id, { token: held.token.real }, end, lastSeq)).toEqual(
          expected.result,
        );
        state = expected.state;
        break;
      }
      case "stop": {
        const expected = stopStream(state, clockMs);
        const record = await harness.stores[event.at].stop(id);
        expect(record?.status).toBe(expected.result?.status);
        expect(record?.lastSeq).toBe(expected.result?.lastSeq);
        state = expected.state;
        break;
      }
      case "delete":
        await harness.stores[event.at].delete(id);
        state = null;
        break;
      case "lapse":
        if (state?.status !== "streaming") break;
        await harness.lapse(id);
        clockMs += LEASE_MS + 1;
        state = condemnProducer(state, clockMs);
        break;
      case "read": {
        const reader = readers[event.reader];
        if (reader !== undefined) await read(harness.stores[event.at], reader, event.most);
        break;
      }
    }
  }
  // However it was read before, and by whichever instance, everybody ends with the same.
  for (const [index, reader] of readers.entries())
    await read(harness.stores[index === 0 ? 0 : 1], reader, Infinity);

  function heldBy(index: number) {
    const found = tokens.length - 1 - (index % Math.max(tokens.length, 1));
    const token = tokens[found];
    return token === undefined ? undefined : { token, index: found };
  }

  /** Reads on from where the reader is, for so many items at most, and holds them against the log. */
  async function read(store: EventStreamStore, reader: Reader, most: number): Promise<void> {
    const newest = tokens.length - 1;
    const log = logs[newest] ?? [];
    const abort = new AbortController();
    let count = 0;
    for await (const item of store.follow(id, reader.cursor, abort.signal)) {
      take(item, reader, newest, log);
      count += 1;
      if (count >= most || item.type === "live") abort.abort();
    }
  }

  function take(item: FollowItem, reader: Reader, newest: number, log: readonly string[]): void {
    switch (item.type) {
      case "position": {
        expect(item.record.generation).toBe(tokens[newest]?.real);
        expect(item.reset).toBe(reader.generation !== -1 && reader.generation !== newest);
        expect(item.seq).toBe(reader.generation === newest ? reader.seq : 0);
        reader.generation = newest;
        reader.seq = item.seq;
        break;
      }
      case "entries":
        expect(item.firstSeq).toBe(reader.seq + 1);
        expect(item.payloads).toEqual(log.slice(reader.seq, reader.seq + item.payloads.length));
        reader.seq += item.payloads.length;
        break;
      case "live":
        expect(state?.status).toBe("streaming");
        expect(reader.seq).toBe(log.length);
        break;
      case "end":
        if (state === null) expect(item.end.status).toBe("missing");
        else {
          expect(item.end).toEqual(
            state.error ? { status: state.status, error: state.error } : { status: state.status },
          );
          expect(reader.seq).toBe(log.length);
        }
        break;
    }
    const token = tokens[reader.generation]?.real;
    if (token !== undefined) reader.cursor = formatCursor(token, reader.seq);
  }
}

function entry(generation: number, seq: number): string {
  return JSON.stringify({ generation, seq });
}
