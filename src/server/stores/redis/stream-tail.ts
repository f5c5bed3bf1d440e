/**
 * What this process knows of one stream that somebody here follows or produces: its state, kept up to date by what is told
 * on its channel, and its newest entries. One tail a stream, however many follow it.
 *
 * A tail reads the state when it begins, after every reconnection, when it is told that the state changed, and now and then
 * to be sure. Sequence numbers show what was missed; that is read from the log.
 */
import type { EntryPayload } from "../stream-store.ts";
import { unrefTimer } from "../../timers.ts";
import type { RedisInspection, RedisState } from "./replies.ts";

/**
 * Called on each change of a tail. Returns the number of the first entry that it still needs, `Infinity` where it needs
 * none: what nobody needs is not kept.
 */
export type TailListener = () => number;

/** What a tail needs of the store. */
export interface TailSource {
  /**
   * Reads the state; where the lease has lapsed and this process may say so, ends the stream first.
   *
   * @param known a generation that was there: an older one is none.
   */
  inspect(known: string | undefined): Promise<RedisInspection>;
  /** Milliseconds until this process may declare a producer with such a lease lost; 0 when it may. */
  patienceMs(leaseMs: number): number;
  /** A look showed entries that were not told. They may be told yet, or never. */
  onUntold(): void;
  /** Milliseconds between two looks to be sure. */
  readonly checkMs: number;
}

/** The newest entries are kept for followers that nearly keep up. */
const WINDOW_ENTRIES = 256;
const WINDOW_LENGTH = 256 * 1024;
/** A lease is looked at a little after it has lapsed: Redis' clock is the judge. */
const LAPSE_SLACK_MS = 50;
/** When it is looked again after a look that failed: what it was to find out may never be told. */
const FAILED_CHECK_MS = 1_000;
/** How often a stream is looked for that Redis has lost. */
const VANISHED_CHECK_MS = 500;
/** How long it is looked for at least. Its producer notices with its next renewal, which a lease's time is enough for. */
const VANISHED_FOR_MS = 15_000;

/** One stream, as this process knows it. */
export class StreamTail {
  readonly #source: TailSource;
  readonly #listeners = new Set<TailListener>();
  #inspection: RedisInspection = "absent";
  #lastSeq = 0;
  #lost = false;
  #changes = 0;
  /** The last number that was told since the last look was sent, whose answer may be older: the connections are two. */
  #heardSeq = 0;
  #hasFailed = false;
  #vanishedSinceMs: number | undefined;
  /** Milliseconds from `#sinceMs` until the stream expires, and until its lease lapses; `Infinity` when it never does. */
  #expiresInMs = 0;
  #lapsesInMs = Infinity;
  /** When something was last heard, or looked for. */
  #sinceMs = 0;
  /** The newest entries, without a gap, the first of them `#windowFirst`. */
  #window: EntryPayload[] = [];
  #windowFirst = 1;
  #windowLength = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #reading: Promise<void> | undefined;
  #readAgain = false;

  constructor(source: TailSource) {
    this.#source = source;
  }

  /** What was read last. Its times and its last number may be older than what was told since. */
  get inspection(): RedisInspection {
    return this.#inspection;
  }

  /** The generation that it knows of, where it knows of any. */
  get generation(): string | undefined {
    return typeof this.#inspection === "string" ? undefined : this.#inspection.record.generation;
  }

  /** Last number of the log, as far as it was told. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Set when Redis had lost the stream before its time for so long that nobody will put it back. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Counts up with each change. */
  get changes(): number {
    return this.#changes;
  }

  /** How many listen. */
  get size(): number {
    return this.#listeners.size;
  }

  listen(listener: TailListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#notify();
  }

  /** Entries from `seq` on, where they are among the newest; what was not heard is read from the log. */
  entriesFrom(generation: string, seq: number): readonly EntryPayload[] | undefined {
    const inspection = this.#inspection;
    if (typeof inspection === "string" || inspection.record.generation !== generation) return undefined;
    const index = seq - this.#windowFirst;
    return index >= 0 && index < this.#window.length ? this.#window.slice(index) : undefined;
  }

  /** Reads the state. Calls that come meanwhile share the next reading: what is read was so after each of them. */
  refresh(): Promise<void> {
    if (this.#reading === undefined) this.#reading = this.#read();
    else this.#readAgain = true;
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      do {
        this.#readAgain = false;
        this.#sinceMs = performance.now();
        this.#heardSeq = 0;
        this.#hasFailed = true;
        this.#take(await this.#source.inspect(this.generation));
        this.#hasFailed = false;
      } while (this.#readAgain && !this.#closed);
    } finally {
      // At once: whoever asks from now on is not too late for this one.
      this.#reading = undefined;
      this.#arm();
    }
  }

  /** Takes what was told on the channel: `<kind> <generation> …`, in lines where there are payloads. */
  hear(message: string): void {
    const inspection = this.#inspection;
    const kind = message.charAt(0);
    if (
      typeof inspection === "string" ||
      (kind !== "a" && kind !== "r") ||
      !message.startsWith(`${inspection.record.generation} `, 2)
    ) {
      this.refresh().catch(() => {});
      return;
    }
    const headEnd = message.indexOf("\n");
    const numbersAt = inspection.record.generation.length + 3;
    const numbers = message.slice(numbersAt, headEnd < 0 ? undefined : headEnd);
    const between = numbers.indexOf(" ");
    const last = Number(numbers.slice(between + 1));
    if (this.#isOld(last)) return;
    if (kind === "a") {
      const before = Number(numbers.slice(0, between));
      const text = headEnd < 0 ? undefined : message.slice(headEnd + 1);
      // Most often it is one.
      if (text === undefined) this.#append(before + 1, last, []);
      else this.#append(before + 1, last, last - before === 1 ? [text] : text.split("\n"));
    }
    this.#sign(last, inspection);
  }

  /**
   * A smaller number than before: told before the state was read, and heard after it; or Redis has lost entries, which their
   * producer writes again. The state tells.
   */
  #isOld(last: number): boolean {
    if (last >= this.#lastSeq) return false;
    this.refresh().catch(() => {});
    return true;
  }

  #append(first: number, last: number, payloads: readonly EntryPayload[]): void {
    if (first <= this.#lastSeq) this.#forgetWindow(first - 1);
    const isWhole = payloads.length === last - first + 1;
    if (!isWhole || first !== this.#windowFirst + this.#window.length) this.#forgetWindow(last);
    if (!isWhole) return;
    if (this.#window.length === 0) this.#windowFirst = first;
    for (const payload of payloads) {
      this.#window.push(payload);
      this.#windowLength += payload.length;
    }
    while (this.#window.length > WINDOW_ENTRIES || this.#windowLength > WINDOW_LENGTH) {
      this.#windowLength -= this.#window.shift()?.length ?? 0;
      this.#windowFirst += 1;
    }
  }

  #forgetBefore(seq: number): void {
    const end = this.#windowFirst + this.#window.length;
    if (seq >= end) this.#forgetWindow(end - 1);
    while (this.#windowFirst < Math.min(seq, end)) {
      this.#windowLength -= this.#window.shift()?.length ?? 0;
      this.#windowFirst += 1;
    }
  }

  /** The next entry that is kept is the one after `last`. */
  #forgetWindow(last: number): void {
    this.#window.length = 0;
    this.#windowLength = 0;
    this.#windowFirst = last + 1;
  }

  /** A sign of life: deadlines only move away with it, so the timer that is armed is early enough. */
  #sign(lastSeq: number, { ttlMs, leaseMs }: RedisState): void {
    this.#lastSeq = this.#heardSeq = lastSeq;
    this.#expectEnd(ttlMs, leaseMs ?? Infinity);
    this.#notify();
    if (this.#timer === undefined) this.#arm();
  }

  #expectEnd(expiresInMs: number, lapsesInMs: number): void {
    this.#sinceMs = performance.now();
    this.#expiresInMs = expiresInMs;
    this.#lapsesInMs = lapsesInMs;
  }

  #take(inspection: RedisInspection): void {
    const before = this.#inspection;
    if (inspection === "absent" && typeof before !== "string" && !this.#lost) {
      // It vanished before its time: an outage first.
      this.#vanishedSinceMs ??= performance.now();
      const forMs = Math.max(VANISHED_FOR_MS, before.leaseMs ?? 0);
      if (performance.now() - this.#vanishedSinceMs < forMs) return;
      this.#lost = true;
    } else {
      this.#vanishedSinceMs = undefined;
    }
    this.#inspection = inspection;
    if (typeof inspection !== "string") {
      const { generation, lastSeq: readSeq } = inspection.record;
      const isSame = typeof before !== "string" && before.record.generation === generation;
      const lastSeq = isSame ? Math.max(readSeq, this.#heardSeq) : readSeq;
      if (!isSame || lastSeq < this.#lastSeq) this.#forgetWindow(lastSeq);
      if (isSame && lastSeq > this.#lastSeq) this.#source.onUntold();
      this.#lastSeq = lastSeq;
      const { expiresAt, leaseUntil, now } = inspection;
      this.#expectEnd(
        Math.max(expiresAt - now, 0),
        leaseUntil === null ? Infinity : Math.max(leaseUntil - now, 0),
      );
    }
    this.#notify();
  }

  /** Plans the next look: when something may have happened that nobody told. */
  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const delayMs = this.#lookInMs();
    if (this.#closed || delayMs === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // What was heard meanwhile may have put it off.
      const leftMs = this.#lookInMs();
      if (leftMs !== undefined && leftMs > 0) this.#arm();
      else this.refresh().catch(() => {});
    }, delayMs);
    unrefTimer(this.#timer);
  }

  #lookInMs(): number | undefined {
    const inspection = this.#inspection;
    const passedMs = performance.now() - this.#sinceMs;
    if (this.#vanishedSinceMs !== undefined && !this.#lost) return Math.max(VANISHED_CHECK_MS - passedMs, 0);
    if (typeof inspection === "string" || inspection.record.status !== "streaming") return undefined;
    const patienceMs = this.#source.patienceMs(inspection.leaseMs ?? 0);
    const lapseMs = Math.max(this.#lapsesInMs - passedMs + LAPSE_SLACK_MS, patienceMs);
    const expiryMs = this.#expiresInMs - passedMs + LAPSE_SLACK_MS;
    const checkMs = this.#hasFailed ? FAILED_CHECK_MS : this.#source.checkMs;
    return Math.max(Math.min(checkMs - passedMs, expiryMs, lapseMs), 0);
  }

  #notify(): void {
    this.#changes += 1;
    let needed = Infinity;
    for (const listener of this.#listeners) needed = Math.min(needed, listener());
    this.#forgetBefore(needed);
  }
}
