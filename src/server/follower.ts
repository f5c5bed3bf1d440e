/**
 * Follows a stream in a store: passes on what the store tells, in order and once, over the store's short absences and
 * never into another owner's stream.
 */
import { formatCursor } from "../shared/cursor.ts";
import { isResumableStreamError } from "../shared/errors.ts";
import type { Producer } from "./producer.ts";
import { storedError } from "./stores/stream-state.ts";
import type { EventStreamStore, FollowItem } from "./stores/stream-store.ts";
import { delay } from "./timers.ts";

/** Options of {@link followStream}. */
export interface FollowerOptions {
  readonly store: EventStreamStore;
  readonly streamId: string;
  /** Whose stream the follower was let in to. */
  readonly owner: string | null;
  readonly cursor: string;
  /** Ends the following; also fires with the producer's `storeLoss`. */
  readonly signal: AbortSignal;
  readonly storeAwayMs: number;
  /** The stream's producer, where it is in this process: it knows before the store does how the stream ends. */
  readonly producer: Producer | undefined;
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 250;

/**
 * Gives what the store tells, `live` once a generation. Ends without an `end` item when it is aborted, or when the store
 * stays away: that is a cut, and the client resumes elsewhere.
 */
export function followStream(options: FollowerOptions): Follower {
  return new StreamFollower(options);
}

/** What {@link followStream} gives, one item at a time; `return` lets go of the store. */
export interface Follower {
  next(): Promise<Result>;
  return(): Promise<void>;
}

type Result = IteratorResult<FollowItem, undefined>;

const OVER: Result = { done: true, value: undefined };
const STORE_LOST: Result = {
  done: false,
  value: { type: "end", end: { status: "error", error: storedError("store-unavailable") } },
};

/** Not a generator around the store's: every event of every follower passes here, and each layer of those costs. */
class StreamFollower implements Follower {
  readonly #options: FollowerOptions;
  #items: AsyncIterator<FollowItem> | undefined;
  #cursor: string;
  #generation: string | undefined;
  /** Number of the last entry of the generation that was passed on. */
  #seq = 0;
  #live = false;
  #over = false;
  #awaySinceMs: number | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  /** No listener to the signal: a follower whose body is dropped must cost nothing from then on. */
  get #isOver(): boolean {
    return this.#over || (this.#options.signal.aborted && !this.#isStoreLost);
  }

  get #isStoreLost(): boolean {
    return this.#options.producer?.storeLoss.aborted === true;
  }

  next(): Promise<Result> {
    // The store ends what is aborted; to ask the signal for each event costs more than all else here.
    if (this.#over) return Promise.resolve(OVER);
    const { store, streamId, signal } = this.#options;
    try {
      this.#items ??= store.follow(streamId, this.#cursor, signal)[Symbol.asyncIterator]();
      return this.#items.next().then(this.#pass, this.#wait);
    } catch (error) {
      return this.#wait(error);
    }
  }

  async return(): Promise<void> {
    this.#over = true;
    await this.#items?.return?.();
  }

  readonly #pass = (result: IteratorResult<FollowItem>): Result | Promise<Result> => {
    if (result.done === true) {
      const isUntold = this.#isStoreLost && !this.#over;
      this.#over = true;
      return isUntold ? STORE_LOST : OVER;
    }
    this.#awaySinceMs = undefined;
    const item = this.#take(result.value);
    if (item === undefined) return this.next();
    const passed = { done: false, value: item } as const;
    return item.type === "end" ? this.return().then(() => passed) : passed;
  };

  readonly #wait = async (error: unknown): Promise<Result> => {
    if (this.#isOver) return OVER;
    if (!isResumableStreamError(error, "store-unavailable")) throw error;
    const end = this.#endOfAbsence(error);
    if (end !== undefined) return end;
    await delay(RETRY_MS, this.#options.signal);
    this.#items = undefined;
    if (this.#generation) this.#cursor = formatCursor(this.#generation, this.#seq);
    return this.next();
  };

  /** What the follower is told of an item; `undefined` where that is nothing new. */
  #take(item: FollowItem): FollowItem | undefined {
    switch (item.type) {
      case "position":
        if (item.record.owner !== this.#options.owner) {
          return { type: "end", end: { status: "missing", error: storedError("deleted") } };
        }
        // Where reading goes on after an absence, the follower is told nothing new.
        if (item.record.generation === this.#generation && !item.reset) return undefined;
        this.#generation = item.record.generation;
        this.#seq = item.seq;
        this.#live = false;
        return item;
      case "entries":
        this.#seq = item.firstSeq + item.payloads.length - 1;
        return item;
      case "live": {
        const known = this.#live;
        this.#live = true;
        return known ? undefined : item;
      }
      case "end":
        return item;
    }
  }

  /** The store is away: how this ends, if waiting for it is of no use any more. */
  #endOfAbsence(error: unknown): Result | undefined {
    const { producer, storeAwayMs, onError } = this.#options;
    this.#awaySinceMs ??= performance.now();
    const isTooLong = performance.now() - this.#awaySinceMs >= storeAwayMs && producer?.running !== true;
    if (!this.#isStoreLost && !isTooLong) return undefined;
    this.#over = true;
    if (this.#isStoreLost) return STORE_LOST;
    onError(error);
    return OVER;
  }
}
