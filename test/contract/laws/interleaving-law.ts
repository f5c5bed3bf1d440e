/**
 * Law: producers that write, and lose answers; stops, deletions, lapses, takeovers and losses; readers that come and go: all
 * at once, in any order, every reader reads each entry once, in order, and all who read a generation to its end are told the
 * same end.
 */
import fc from "fast-check";
import { expect } from "vitest";
import { formatCursor } from "../../../src/shared/cursor.ts";
import type { AppendVerdict, EventStreamStore, StoredEnd } from "../../../src/server/stores/stream-store.ts";
import { LEASE_MS, settle, type LawHarness } from "./law-harness.ts";

const OPEN = { owner: "ada", protocol: "test", leaseMs: LEASE_MS } as const;
const ENTRIES = 24;

/** What happens beside the writing and the reading. */
export interface Interleaving {
  /** Sizes of the producer's batches; taken in turn. */
  readonly batches: readonly number[];
  /** Whether the answers of its calls are lost; taken in turn. */
  readonly lost: readonly boolean[];
  /** Ticks that it waits before each; taken in turn. */
  readonly pauses: readonly number[];
  readonly trouble: "none" | "stop" | "delete" | "takeover" | "lose-some" | "lose-all";
  /** Ticks until the trouble. */
  readonly after: number;
  /** For each reader: after how many entries it goes, and comes back, each time; taken in turn. */
  readonly readers: readonly (readonly number[])[];
}

/** Any interleaving. `canLose`: whether the store may lose what it had. */
export const interleavings = (canLose: boolean): fc.Arbitrary<Interleaving> =>
  fc.record({
    batches: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
    lost: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
    pauses: fc.array(fc.nat(2), { minLength: 1, maxLength: 6 }),
    trouble: fc.constantFrom(
      ...(["none", "stop", "delete", "takeover"] as const),
      ...(canLose ? (["lose-some", "lose-all"] as const) : []),
    ),
    after: fc.nat(12),
    readers: fc.array(fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 4 }), {
      minLength: 3,
      maxLength: 3,
    }),
  });

interface Read {
  /** Entries of each generation that was read. */
  readonly entries: Map<string, string[]>;
  readonly end: string;
  readonly last: string;
}

/** Runs an interleaving on a fresh stream. */
export async function expectExactlyOnce(harness: LawHarness, plan: Interleaving): Promise<void> {
  const id = `law-${crypto.randomUUID()}`;
  const [one, other] = harness.stores;
  const first = await one.open(id, OPEN);
  if (first.role !== "producer") throw new Error("The stream was there already.");
  const reading = plan.readers.map((stays, index) => read(index === 0 ? one : other, stays));
  let isWriting = true;
  const producing = [produce(one, first.lease.token, plan).finally(() => (isWriting = false))];
  for (let tick = 0; tick < plan.after; tick += 1) await harness.pass(1);
  const record = await other.inspect(id);
  switch (plan.trouble) {
    case "none":
      break;
    case "stop":
      await other.stop(id);
      break;
    case "delete":
      await other.delete(id);
      break;
    case "lose-some":
      if (record?.status === "streaming") await harness.lose?.(id, Math.floor(record.lastSeq / 2));
      break;
    case "lose-all":
      if (record?.status === "streaming") await harness.lose?.(id, -1);
      break;
    case "takeover": {
      if (record?.status === "streaming") await harness.lapse(id);
      const next = await other.open(id, { ...OPEN, takeover: true });
      if (next.role === "producer") producing.push(produce(other, next.lease.token, plan));
      break;
    }
  }
  const reads = await settle(harness, reading);
  await settle(harness, producing);

  const after = await one.inspect(id);
  for (const { entries, end, last } of reads) {
    for (const [generation, read] of entries)
      expect(read).toEqual(Array.from(read, (_, index) => entry(generation, index + 1)));
    const read = entries.get(last) ?? [];
    if (after?.generation === last) expect(read).toHaveLength(after.lastSeq);
    if (end === "done") expect(read).toHaveLength(ENTRIES);
  }
  // Who read a generation before another took over was told its end, and who came later never saw it.
  for (const generation of new Set(reads.map(({ last }) => last))) {
    const ends = reads.filter(({ last }) => last === generation).map(({ end }) => end);
    // Who read to the end before the stream was deleted was told that end.
    const told = ends.filter((end) => plan.trouble !== "delete" || end !== "done");
    expect(new Set(told).size).toBeLessThanOrEqual(1);
  }

  /** Writes all entries, as a producer does: on from the log's last number, whatever was answered before. */
  async function produce(store: EventStreamStore, token: string, { batches, lost, pauses }: Interleaving) {
    const lease = { token };
    const all = Array.from({ length: ENTRIES }, (_, index) => entry(token, index + 1));
    let written = 0;
    for (let turn = 0; ; turn += 1) {
      for (let pause = pauses[turn % pauses.length] ?? 0; pause > 0; pause -= 1) await harness.pass(1);
      const payloads = all.slice(written, written + (batches[turn % batches.length] ?? 1));
      const end: StoredEnd = { status: "done" };
      let verdict: AppendVerdict =
        payloads.length > 0
          ? await store.appendBatch(id, lease, written + 1, payloads)
          : await store.end(id, lease, end, ENTRIES);
      // Its answer is lost: the same is sent again.
      if (lost[turn % lost.length] === true && turn < 40) continue;
      if (verdict.verdict === "vanished") verdict = await store.restore(id, lease, OPEN);
      if (verdict.verdict !== "ok") return verdict.verdict;
      written = verdict.lastSeq;
      if (payloads.length === 0 && verdict.lastSeq === ENTRIES) return "ok";
    }
  }

  /** Reads to the end; goes away and comes back on the way. */
  async function read(store: EventStreamStore, stays: readonly number[]): Promise<Read> {
    const entries = new Map<string, string[]>();
    let generation = "";
    let cursor = "";
    for (let visit = 0; ; visit += 1) {
      const abort = new AbortController();
      let left = stays[visit % stays.length] ?? 1;
      // In the end it stays.
      if (visit >= 6) left = Infinity;
      for await (const item of store.follow(id, cursor, abort.signal)) {
        if (item.type === "position") {
          generation = item.record.generation;
          if (item.reset || !entries.has(generation)) entries.set(generation, []);
          expect(item.seq).toBe(entries.get(generation)?.length);
        } else if (item.type === "entries") {
          expect(item.firstSeq).toBe((entries.get(generation)?.length ?? 0) + 1);
          entries.get(generation)?.push(...item.payloads.map(String));
          left -= item.payloads.length;
        } else if (item.type === "end") {
          // A stream that was there, and is not: clients ask again for a while, since its producer may put it back.
          if (item.end.error?.code === "missing" && plan.trouble === "lose-all" && isWriting) {
            await harness.pass(1);
            break;
          }
          const end = item.end.error === undefined ? item.end.status : item.end.status + item.end.error.code;
          return { entries, end: item.end.status === "missing" ? "missing" : end, last: generation };
        }
        cursor = formatCursor(generation, entries.get(generation)?.length ?? 0);
        if (left <= 0) abort.abort();
      }
    }
  }
}

function entry(token: string, seq: number): string {
  return JSON.stringify({ token, seq });
}
