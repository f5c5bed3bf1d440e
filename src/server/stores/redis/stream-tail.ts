/**
 * What this process knows of one stream that somebody here follows or produces: its state, kept up to date by what is told
 * on its channel, and its newest entries. One tail a stream, however many follow it.
 *
 * A tail reads the state when it begins, after every reconnection, when it is told that the state changed, and now and then
 * to be sure. Sequence numbers show what was missed; that is read from the log.
 */
import type { EntryPayload } from "../stream-store.ts";
import { unrefTimer } from "../../timers.ts";
import type { RedisInspection } from "./replies.ts";

/** What a tail knows. */
export interface TailState {
  readonly inspection: RedisInspection;
  /** Last number of the log, as far as it was told. */
  readonly lastSeq: number;
  /** Set when Redis had lost the stream before its time for so long that nobody will put it back. */
  readonly lost: boolean;
}

/** What a tail needs of the store. */
export interface TailSource {
  /** Reads the state; where the lease has lapsed and this process may say so, ends the stream first. */
  inspect(): Promise<RedisInspection>;
  /** Milliseconds until this process may declare a producer with such a lease lost; 0 when it may. */
  patienceMs(leaseMs: number): number;
  /** This process slept, and knows nothing of what happened meanwhile. */
  onSleep(): void;
  /** Milliseconds between two looks to be sure. */
  readonly checkMs: number;
}

/** The newest entries are kept for followers that keep up. */
const WINDOW_ENTRIES = 256;
const WINDOW_LENGTH = 256 * 1024;
/** A lease is looked at a little after it has lapsed: Redis' clock is the judge. */
const LAPSE_SLACK_MS = 50;
/** A timer that is later than this was not late: the process slept. */
const SLEPT_MS = 1_000;
/** How often a stream is looked for that Redis has lost. */
const VANISHED_CHECK_MS = 500;
/** How long it is looked for: longer than its producer takes to notice. */
const VANISHED_FOR_MS = 15_000;

/** One stream, as this process knows it. */
export class StreamTail {
  readonly #source: TailSource;
  readonly #listeners = new Set<() => void>();
  #inspection: RedisInspection = "absent";
  #lastSeq = 0;
  #lost = false;
  #vanishedSinceMs: number | undefined;
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

  get state(): TailState {
    return { inspection: this.#inspection, lastSeq: this.#lastSeq, lost: this.#lost };
  }

  /** How many listen. */
  get size(): number {
    return this.#listeners.size;
  }

  listen(listener: () => void): () => void {
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

  /** Reads the state. Calls that come meanwhile share the next reading. */
  refresh(): Promise<void> {
    if (this.#reading !== undefined) {
      this.#readAgain = true;
      return this.#reading;
    }
    this.#reading = (async () => {
      do {
        this.#readAgain = false;
        this.#take(await this.#source.inspect());
      } while (this.#readAgain && !this.#closed);
    })().finally(() => {
      this.#reading = undefined;
      this.#arm();
    });
    return this.#reading;
  }

  /** Takes what was told on the channel. */
  hear(message: string): void {
    const [head = "", ...payloads] = message.split("\n");
    const [kind, generation = "", ...numbers] = head.split(" ");
    const inspection = this.#inspection;
    const isKnown = typeof inspection !== "string" && inspection.record.generation === generation;
    if (kind === "a" && isKnown) {
      const [first = 0, last = 0, until = 0, expiresAt = 0, now = 0] = numbers.map(Number);
      this.#append(first, last, payloads);
      this.#sign(last, numbers[2] === "" ? null : until, expiresAt, now);
    } else if (kind === "r" && isKnown) {
      const [last = 0, until = 0, expiresAt = 0, now = 0] = numbers.map(Number);
      // A smaller number than before: Redis has lost entries, which their producer writes again.
      if (last < this.#lastSeq) this.#forgetWindow(last);
      this.#sign(last, numbers[1] === "" ? null : until, expiresAt, now);
    } else {
      void this.refresh().catch(() => {});
    }
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

  /** The next entry that is kept is the one after `last`. */
  #forgetWindow(last: number): void {
    this.#window = [];
    this.#windowLength = 0;
    this.#windowFirst = last + 1;
  }

  #sign(lastSeq: number, leaseUntil: number | null, expiresAt: number, now: number): void {
    const inspection = this.#inspection;
    if (typeof inspection === "string") return;
    this.#lastSeq = lastSeq;
    this.#inspection = {
      ...inspection,
      record: { ...inspection.record, lastSeq },
      leaseUntil,
      expiresAt,
      now,
    };
    this.#notify();
    // Deadlines only move away with a sign of life, so the timer that is armed is early enough.
    if (this.#timer === undefined) this.#arm();
  }

  #take(inspection: RedisInspection): void {
    const before = this.#inspection;
    if (inspection === "absent" && typeof before !== "string" && !this.#lost) {
      // It vanished before its time: an outage first.
      this.#vanishedSinceMs ??= performance.now();
      if (performance.now() - this.#vanishedSinceMs < VANISHED_FOR_MS) return;
      this.#lost = true;
    } else {
      this.#vanishedSinceMs = undefined;
    }
    this.#inspection = inspection;
    if (typeof inspection !== "string") {
      const isSame = typeof before !== "string" && before.record.generation === inspection.record.generation;
      if (!isSame || inspection.record.lastSeq < this.#lastSeq) this.#forgetWindow(inspection.record.lastSeq);
      this.#lastSeq = inspection.record.lastSeq;
    }
    this.#notify();
  }

  /** Plans the next look: when something may have happened that nobody tells. */
  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed) return;
    let delayMs = this.#source.checkMs;
    const inspection = this.#inspection;
    if (this.#vanishedSinceMs !== undefined && !this.#lost) delayMs = VANISHED_CHECK_MS;
    else if (typeof inspection === "string" || inspection.record.status !== "streaming") return;
    else {
      delayMs = Math.min(delayMs, Math.max(inspection.expiresAt - inspection.now, 0) + LAPSE_SLACK_MS);
      if (inspection.leaseUntil !== null) {
        const leftMs = Math.max(inspection.leaseUntil - inspection.now, 0);
        const patienceMs = this.#source.patienceMs(inspection.leaseMs ?? 0);
        delayMs = Math.min(delayMs, Math.max(leftMs, patienceMs) + LAPSE_SLACK_MS);
      }
    }
    const plannedMs = performance.now() + delayMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (performance.now() - plannedMs > SLEPT_MS) this.#source.onSleep();
      this.refresh().catch(() => {});
    }, delayMs);
    unrefTimer(this.#timer);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
