/**
 * Follows one stream for one reader: what is stored, page by page, then what the stream's tail is told. No more than
 * two pages are read ahead of the reader.
 *
 * An iterator by hand and not a generator: with thousands of streams in a process, what a generator allocates for each
 * event is a large part of what an event costs.
 */
import { assertStreamId, type Position } from "../../../shared/cursor.ts";
import { locate } from "../read-entries.ts";
import { requireCursor } from "../store-errors.ts";
import { storedEndOf, storedError } from "../stream-state.ts";
import type { EntryPayload, FollowItem, StreamRecord } from "../stream-store.ts";
import type { RedisInspection } from "./replies.ts";
import type { StreamTail, TailListener } from "./stream-tail.ts";
import type { TakenTail } from "./stream-tails.ts";

/** What following needs of the store. */
export interface FollowSource {
  /** Reads the state of a stream; where its lease has lapsed and this process may say so, ends it first. */
  inspect(streamId: string): Promise<RedisInspection>;
  /** A tail of the stream. */
  takeTail(streamId: string, listener: TailListener, generation: string): Promise<TakenTail>;
  /** {@link PAGE_ENTRIES} from `seq` on, or those that there are, without a gap; none where Redis has lost some. */
  readPage(streamId: string, record: StreamRecord, seq: number): Promise<readonly EntryPayload[]>;
}

/** Entries that are read at once. */
export const PAGE_ENTRIES = 1_000;
/** Pages that are on their way at most, so that Redis works while the reader does. */
const PAGES_AHEAD = 2;

type Result = IteratorResult<FollowItem, undefined>;
/** What is known of a stream: by its tail, or, of one that had ended, by one look. */
type Known = Pick<StreamTail, "inspection" | "lastSeq" | "lost" | "changes">;

const OVER: Result = { done: true, value: undefined };

/** One reader's way through a stream. */
export class StreamFollow implements AsyncIterableIterator<FollowItem, undefined> {
  readonly #source: FollowSource;
  readonly #streamId: string;
  readonly #cursor: string;
  readonly #signals: readonly AbortSignal[];
  /** Of who asks for the next item; not in an object of its own, of which there would be one an event. */
  #resolve: ((result: Result) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #working = false;
  #over = false;
  #known: Known | undefined;
  #tail: TakenTail | undefined;
  #record: StreamRecord | undefined;
  #position: Position | undefined;
  #next = 1;
  #live = false;
  #page: readonly EntryPayload[] | undefined;
  /** Pages that were asked for, in order. */
  #ahead: Promise<readonly EntryPayload[]>[] = [];
  #hasRead = false;
  /** The tail's count of changes when entries were found to be lost. */
  #lostAt: number | undefined;

  /** @param signals any of them ends the following, without a word */
  constructor(source: FollowSource, streamId: string, cursor: string, signals: readonly AbortSignal[]) {
    this.#source = source;
    this.#streamId = streamId;
    this.#cursor = cursor;
    this.#signals = signals;
    this.#over = signals.some((signal) => signal.aborted);
    for (const signal of signals) signal.addEventListener("abort", this.#letGo);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#answer();
    });
  }

  async return(): Promise<Result> {
    this.#letGo();
    return OVER;
  }

  readonly #letGo = (): void => {
    this.#over = true;
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#letGo);
    this.#tail?.giveBack();
    this.#tail = undefined;
    this.#answer();
  };

  readonly #hear = (): number => {
    this.#answer();
    return this.#over ? Infinity : this.#next;
  };

  /** Answers who asks, as soon as there is an answer. */
  readonly #answer = (): void => {
    const resolve = this.#resolve;
    if (resolve === undefined || (this.#working && !this.#over)) return;
    const item = this.#over ? "over" : this.#item();
    if (item === "read") this.#work();
    else if (item !== "wait") {
      this.#resolve = this.#reject = undefined;
      resolve(item === "over" ? OVER : { done: false, value: item });
      if (item !== "over" && item.type === "end") this.#letGo();
    }
  };

  #work(): void {
    this.#working = true;
    const settled = (): void => {
      this.#working = false;
      this.#answer();
    };
    (this.#known === undefined ? this.#begin() : this.#read()).then(settled, (error: unknown) => {
      this.#working = false;
      const reject = this.#reject;
      this.#resolve = this.#reject = undefined;
      reject?.(error);
      this.#letGo();
    });
  }

  async #begin(): Promise<void> {
    assertStreamId(this.#streamId);
    this.#position = this.#cursor === "" ? undefined : requireCursor(this.#cursor);
    await this.#look();
  }

  async #look(): Promise<void> {
    // Most streams that are read have ended: those need no listening.
    const first = await this.#source.inspect(this.#streamId);
    if (typeof first === "string" || first.record.status !== "streaming") {
      const lastSeq = typeof first === "string" ? 0 : first.record.lastSeq;
      // To who just came, what is no more was never there.
      const lost = typeof first === "string" && this.#record === undefined;
      this.#known = { inspection: first, lastSeq, lost, changes: 0 };
      return;
    }
    if (this.#over) return;
    const taken = await this.#source.takeTail(this.#streamId, this.#hear, first.record.generation);
    this.#known = taken.tail;
    if (this.#over) taken.giveBack();
    else this.#tail = taken;
  }

  async #read(): Promise<void> {
    const record = this.#record;
    if (record === undefined) return;
    const lastSeq = this.#known?.lastSeq ?? 0;
    // The first page comes alone, and so at once.
    const most = this.#hasRead ? PAGES_AHEAD : 1;
    this.#hasRead = true;
    for (;;) {
      const seq = this.#next + this.#ahead.length * PAGE_ENTRIES;
      if (this.#ahead.length === most || (this.#ahead.length > 0 && seq > lastSeq)) break;
      const page = this.#source.readPage(this.#streamId, record, seq);
      page.catch(() => {});
      this.#ahead.push(page);
    }
    this.#page = await this.#ahead.shift();
    // A page that is not full is the last one, as it was then; what was asked for after it is not what comes after it.
    if (this.#page?.length !== PAGE_ENTRIES) this.#ahead = [];
    if (this.#page !== undefined && this.#page.length > 0) return;
    this.#page = undefined;
    // Redis has lost them, and their producer sends them again; or they are gone with their stream.
    await (this.#tail === undefined ? this.#look() : this.#tail.tail.refresh());
    this.#lostAt = this.#known?.changes;
  }

  /** What comes next, where that is known; moves on by it. */
  #item(): FollowItem | "wait" | "read" {
    const known = this.#known;
    if (known === undefined) return "read";
    const { inspection, lastSeq, lost } = known;
    if (typeof inspection === "string") {
      return endAsMissing(lost || inspection === "absent" ? "missing" : inspection);
    }
    const { record } = inspection;
    if (this.#record?.generation !== record.generation) {
      const { seq, reset } = locate({ ...record, lastSeq }, this.#position);
      this.#record = record;
      this.#next = seq + 1;
      this.#live = false;
      this.#page = undefined;
      this.#ahead = [];
      return { type: "position", record: { ...record, lastSeq }, seq, reset };
    }
    const end = storedEndOf(record);
    if (this.#next <= lastSeq) {
      const payloads = this.#page ?? this.#tail?.tail.entriesFrom(record.generation, this.#next);
      if (payloads !== undefined) return this.#entries(record.generation, payloads);
      if (this.#lostAt !== known.changes) return "read";
      return end === null ? "wait" : endAsMissing("missing");
    }
    if (end !== null) return { type: "end", end };
    if (this.#live) return "wait";
    this.#live = true;
    return { type: "live" };
  }

  #entries(generation: string, payloads: readonly EntryPayload[]): FollowItem {
    const firstSeq = this.#next;
    // What was asked for begins where the page ends, and not where the newest entries do.
    if (this.#page === undefined && this.#ahead.length > 0) this.#ahead = [];
    this.#page = undefined;
    this.#next += payloads.length;
    this.#position = { generation, seq: this.#next - 1 };
    return { type: "entries", firstSeq, payloads };
  }
}

function endAsMissing(code: "missing" | "deleted" | "expired"): FollowItem {
  return { type: "end", end: { status: "missing", error: storedError(code) } };
}
