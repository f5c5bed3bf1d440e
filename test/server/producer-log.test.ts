import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProducerLog } from "../../src/server/producer-log.ts";

const sizeOf = (payload: string): number => payload.length;
const fill = (log: ProducerLog, payloads: readonly string[]): void => {
  for (const payload of payloads) log.push(payload, sizeOf(payload));
};
const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `{"n":${index + 1}}`);

describe("the log of a producer", () => {
  it("gives any of its entries, however many of them were packed, and when", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ count: fc.nat(200), packed: fc.double({ min: 0, max: 1, noNaN: true }) }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.nat(),
        fc.nat(),
        (steps, from, length) => {
          const log = new ProducerLog();
          const all: string[] = [];
          for (const { count, packed } of steps) {
            const more = numbered(all.length + count).slice(all.length);
            fill(log, more);
            all.push(...more);
            log.pack(Math.floor(all.length * packed));
          }
          const firstSeq = (from % (all.length + 1)) + 1;
          const lastSeq = Math.min(firstSeq + (length % 300), all.length);
          expect(log.entries(firstSeq, lastSeq)).toEqual(all.slice(firstSeq - 1, lastSeq));
          expect(log.lastSeq).toBe(all.length);
          expect(log.sizeOf(firstSeq)).toBe(all[firstSeq - 1]?.length ?? 0);
        },
      ),
    );
  });

  it("counts the bytes of what it was given", () => {
    const log = new ProducerLog();
    fill(log, ["ab", "cde"]);
    expect(log.bytes).toBe(5);
  });

  it("drops entries from its end, and takes others in their place", () => {
    const log = new ProducerLog();
    fill(log, numbered(100));
    log.pack(80);
    log.truncate(90);
    fill(log, ["other"]);
    expect(log.entries(79, 91)).toEqual([...numbered(90).slice(78), "other"]);
  });

  it("keeps bytes as they are", () => {
    const log = new ProducerLog();
    const chunks = Array.from({ length: 100 }, (_, index) => Uint8Array.of(10, index));
    for (const chunk of chunks) log.push(chunk, chunk.byteLength);
    log.pack(100);
    expect(log.entries(1, 100)).toEqual(chunks);
  });

  it("lets go of an entry that nobody needs again", () => {
    const log = new ProducerLog();
    log.push(Uint8Array.of(1), 1);
    log.forget(1);
    expect(log.entries(1, 1)).toEqual([""]);
    expect(log.sizeOf(1)).toBe(1);
  });
});
