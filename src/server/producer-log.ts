/**
 * What a producer has of its stream: every entry, until the end, because a store may lose some and need them again.
 *
 * Old entries are packed, many texts in one. Thousands of answers under way would otherwise be millions of small objects,
 * all of which the garbage collector looks at, again and again, while events wait.
 */
import type { EntryPayload } from "./stores/stream-store.ts";

/** Entries in one text. A payload has no raw line ending, so one may stand between two. */
interface Pack {
  /** Number of the first of them. */
  readonly firstSeq: number;
  readonly text: string;
}

const BETWEEN = "\n";
/** As many are packed at once, at least. */
const PACK_ENTRIES = 64;

/** The entries of one stream, numbered 1, 2, 3, … */
export class ProducerLog {
  readonly #packs: Pack[] = [];
  /** Number of the last entry that is packed. */
  #packed = 0;
  /** The entries after it. */
  #recent: EntryPayload[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;

  /** Number of the last entry. */
  get lastSeq(): number {
    return this.#sizes.length;
  }

  /** Bytes of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of an entry. */
  sizeOf(seq: number): number {
    return this.#sizes[seq - 1] ?? 0;
  }

  /** @param size its bytes */
  push(payload: EntryPayload, size: number): void {
    this.#recent.push(payload);
    this.#sizes.push(size);
    this.#bytes += size;
  }

  /** Entries from `firstSeq` up to `lastSeq`. */
  entries(firstSeq: number, lastSeq: number): EntryPayload[] {
    if (firstSeq > this.#packed)
      return this.#recent.slice(firstSeq - this.#packed - 1, lastSeq - this.#packed);
    const found: EntryPayload[] = [];
    for (const [index, pack] of this.#packs.entries()) {
      const endSeq = this.#packs[index + 1]?.firstSeq ?? this.#packed + 1;
      if (endSeq <= firstSeq || pack.firstSeq > lastSeq) continue;
      const texts = pack.text.split(BETWEEN);
      for (const text of texts.slice(Math.max(firstSeq - pack.firstSeq, 0), lastSeq - pack.firstSeq + 1))
        found.push(text);
    }
    if (lastSeq > this.#packed)
      for (const entry of this.#recent.slice(0, lastSeq - this.#packed)) found.push(entry);
    return found;
  }

  /** The entries up to `seq` are seldom needed from now on: packs them, when there are many. Bytes stay as they are. */
  pack(seq: number): void {
    const count = seq - this.#packed;
    if (count < PACK_ENTRIES || typeof this.#recent[0] !== "string") return;
    const texts = this.#recent.slice(0, count);
    this.#packs.push({ firstSeq: this.#packed + 1, text: texts.join(BETWEEN) });
    this.#packed = seq;
    this.#recent = this.#recent.slice(count);
  }

  /** Lets go of an entry's content, which nobody needs again. */
  forget(seq: number): void {
    this.#recent[seq - this.#packed - 1] = "";
  }

  /** Drops the entries after `seq`. None of them is packed. */
  truncate(seq: number): void {
    this.#sizes.length = seq;
    this.#recent.length = seq - this.#packed;
  }
}
