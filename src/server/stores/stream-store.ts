/**
 * The store contract: what a log of streams must do. Two tiers.
 *
 * {@link ResumableStreamStore} is the contract that users of `assistant-stream/resumable` know: seven methods, bytes. A
 * store of theirs works here as it is. {@link EventStreamStore} adds what streams of events need: numbered batches, a
 * lease that is renewed, stop, owner and protocol, thread keys, and followers that are told how a stream ended.
 *
 * Rules for both:
 * - A stream has one state. Every method that changes it does so in one atomic compare-and-set on that state, and what
 *   each (state, event) gives is the table of `docs/PROTOCOL.md`; `rejoin/testing/store-contract` checks it.
 * - Entries are numbered 1, 2, 3, … without gaps, in the order in which they were appended. A reader gets each one once.
 * - An id that is not 1 to 256 of `A-Z a-z 0-9 _ . : -` throws `invalid-id`, from every method.
 * - A store that cannot be reached throws `store-unavailable`. The caller may send the same thing again: everything here
 *   may be repeated, but the legacy `append` without numbers, and `open` (`acquire`, `acquireLease`) without a claim.
 */
import type { StreamErrorCode } from "../../shared/errors.ts";
import type { StreamStatus } from "../../shared/wire.ts";

/** Whether a caller of `acquire` won the stream, and so runs its source, or reads what another one writes. */
export type ResumableStreamRole = "producer" | "consumer";

/** What `status` tells. */
export type ResumableStreamStatus = StreamStatus;

/** One entry as `read` yields it. */
export interface ResumableStreamEntry {
  /** The position just after the entry; opaque. */
  readonly cursor: string;
  /** The caller's own copy. */
  readonly chunk: Uint8Array;
}

/** Options of `acquire` and `acquireLease`. */
export interface ResumableStreamAcquireOptions {
  /** Milliseconds after the last append or renewal until the stream expires. The store's default otherwise. */
  readonly ttlMs?: number;
}

/** A producer's right to append, opaque to callers. A later acquisition of the same id supersedes it. */
export interface ResumableStreamLease {
  readonly token: string;
}

/** What `acquireLease` answers. */
export type ResumableStreamAcquisition =
  { readonly role: "producer"; readonly lease: ResumableStreamLease } | { readonly role: "consumer" };

/** A log of bytes. */
export interface ResumableStreamStore {
  /**
   * Atomic election: the first caller for an id is the `"producer"`, every later one a `"consumer"`, also after the end.
   */
  acquire(streamId: string, options?: ResumableStreamAcquireOptions): Promise<ResumableStreamRole>;
  /** The same, and a producer gets a lease to pass to `append` and `finalize`. Optional in stores of others. */
  acquireLease?(
    streamId: string,
    options?: ResumableStreamAcquireOptions,
  ): Promise<ResumableStreamAcquisition>;
  /**
   * Appends one entry and refreshes the TTL. The bytes are copied. Throws `missing` for an unknown stream
   * (`Stream not found: <id>`) and for a superseded lease, `finalized` after the end (`Stream already finalized: <id>`),
   * `limit-exceeded` over a limit.
   */
  append(streamId: string, chunk: Uint8Array, lease?: ResumableStreamLease): Promise<void>;
  /**
   * Ends the stream. A second end, or one from a superseded lease, changes nothing and resolves `false`. Throws `missing`
   * for an unknown stream.
   *
   * @param error what a reader's iteration throws after the stored entries; `Stream errored` by default.
   */
  finalize(
    streamId: string,
    status: "done" | "error",
    error?: string,
    lease?: ResumableStreamLease,
  ): Promise<boolean | void>;
  /**
   * Yields the entries strictly after `cursor` (`""` is the start), then waits for more until the stream ends. Aborting
   * ends it without throwing. A stored error is thrown after the stored entries.
   */
  read(streamId: string, cursor: string, signal: AbortSignal): AsyncIterable<ResumableStreamEntry>;
  /** What the stream is. Never throws for an unknown one. */
  status(streamId: string): Promise<ResumableStreamStatus>;
  /** Forgets the stream; followers end. Nothing happens where there is none. */
  delete(streamId: string): Promise<void>;
}

/** The content of an entry: text in a stream of events, bytes in a stream of bytes. */
export type EntryPayload = string | Uint8Array;

/** How a stream was ended by its producer, by `stop`, or by whoever found its lease lapsed. */
export interface StoredEnd {
  readonly status: "done" | "error" | "stopped";
  readonly error?: StoredError;
}

/** An error as it is stored: already fit for users, in a stream of events. */
export interface StoredError {
  readonly code: StreamErrorCode;
  readonly message: string;
}

/** The state of a stream. */
export interface StreamRecord {
  /** The token of the acquisition; the newer of two compares greater as a string. */
  readonly generation: string;
  readonly status: "streaming" | "done" | "error" | "stopped";
  /** Present when the status is `error`. */
  readonly error?: StoredError;
  /** Sequence number of the last entry; 0 when there is none. */
  readonly lastSeq: number;
  /** Whom the stream belongs to. */
  readonly owner: string | null;
  /** Name of the protocol of its payloads; `null` for a stream of bytes. */
  readonly protocol: string | null;
}

/** Options of {@link EventStreamStore.open}. */
export interface StreamOpenOptions extends ResumableStreamAcquireOptions {
  readonly owner: string | null;
  /** Name of the protocol; `null` makes a stream of bytes. */
  readonly protocol: string | null;
  /** The app's own key, at most 256 bytes: {@link EventStreamStore.find} finds its newest stream. */
  readonly thread?: string;
  /**
   * Milliseconds after the last append or renewal when the lease lapses by the store's clock. Whoever notices that
   * ends the stream as `producer-lost`. Without it the producer is never declared dead.
   */
  readonly leaseMs?: number;
  /** Where the stream ended as `producer-lost` and the owner is the same: begin a new generation. */
  readonly takeover?: boolean;
  /**
   * The random part of the generation, 1 to 16 of `0-9 a-z`; the store draws one otherwise. Who repeats a call with the
   * same, because its answer was lost, is the producer again, as long as nothing was written.
   */
  readonly claim?: string;
}

/** What {@link EventStreamStore.open} answers. */
export type StreamOpening =
  | { readonly role: "producer"; readonly lease: ResumableStreamLease; readonly record: StreamRecord }
  | { readonly role: "consumer"; readonly record: StreamRecord };

/** Why a lease gives no right any more. */
export type LeaseLoss =
  /** A newer acquisition owns the id. */
  | { readonly verdict: "superseded" }
  /** The stream has ended, by `stop` or because the lease lapsed; the log holds entries up to `lastSeq`. */
  | { readonly verdict: "ended"; readonly end: StoredEnd; readonly lastSeq: number }
  /** The stream was deleted, or it expired. */
  | { readonly verdict: "deleted" }
  /**
   * The store has lost the stream before its time, or came back from before the lease was given.
   * {@link EventStreamStore.restore} puts it back.
   */
  | { readonly verdict: "vanished" };

/** What {@link EventStreamStore.appendBatch} answers. */
export type AppendVerdict =
  /** The log's last number. The next entry to send is the one after it, whatever was sent before. */
  | { readonly verdict: "ok"; readonly lastSeq: number }
  /** A limit is reached: what fitted was appended. `limit` names it. */
  | { readonly verdict: "limit"; readonly lastSeq: number; readonly limit: keyof StreamLimits }
  | LeaseLoss;

/** Bounds of a stream. */
export interface StreamLimits {
  /** Bytes of one entry; 1 MB by default. */
  readonly maxChunkBytes: number;
  /** Entries of one stream; 100,000 by default. */
  readonly maxEntriesPerStream: number;
  /** Bytes of all entries of one stream; 8 MB by default. The producer keeps as much in memory. */
  readonly maxStreamBytes: number;
}

/** What a follower is told, in order. */
export type FollowItem =
  /**
   * Where reading goes on: always the first item of a stream that exists, and again where a new generation takes over.
   * `reset` says that the follower's cursor is not a position of this log, so that what it knows is void.
   */
  | {
      readonly type: "position";
      readonly record: StreamRecord;
      readonly seq: number;
      readonly reset: boolean;
    }
  /** Entries `firstSeq`, `firstSeq + 1`, … */
  | { readonly type: "entries"; readonly firstSeq: number; readonly payloads: readonly EntryPayload[] }
  /** All that is stored was yielded; once a generation, before its first wait. Not said of a stream that has ended. */
  | { readonly type: "live" }
  /** The stream ended, or is `missing`: `deleted`, `expired`, or never there. The last item. */
  | {
      readonly type: "end";
      readonly end: StoredEnd | { readonly status: "missing"; readonly error: StoredError };
    };

/** A log of events, and of bytes. */
export interface EventStreamStore extends ResumableStreamStore {
  /** What one stream may hold. */
  readonly limits: StreamLimits;
  acquireLease(
    streamId: string,
    options?: ResumableStreamAcquireOptions,
  ): Promise<ResumableStreamAcquisition>;
  /** `acquireLease` for a stream with owner, protocol, thread key and a lease that lapses. */
  open(streamId: string, options: StreamOpenOptions): Promise<StreamOpening>;
  /**
   * Takes back an `open` whose caller has given up, or never learned the answer: forgets the stream that was opened with
   * the claim, if nothing was written to it, and nobody stopped it.
   */
  abandon(streamId: string, claim: string): Promise<void>;
  /**
   * Appends `payloads` as entries `firstSeq`, `firstSeq + 1`, …, and renews the lease. Entries that the log holds
   * already are skipped; if entries before `firstSeq` are missing nothing is appended. Either way the answer is the log's
   * last number, so a lost answer, a log that came back shorter and a repeated call are one case: go on from there.
   */
  appendBatch(
    streamId: string,
    lease: ResumableStreamLease,
    firstSeq: number,
    payloads: readonly EntryPayload[],
  ): Promise<AppendVerdict>;
  /** Renews the lease and the TTL. */
  renew(streamId: string, lease: ResumableStreamLease): Promise<AppendVerdict>;
  /**
   * Ends the stream. `ok` with `lastSeq` as given when this call ended it, or, repeated, had ended it the same way.
   *
   * @param lastSeq the number that the log must end with. Where it ends before, because the store has lost entries,
   *   nothing changes, and the answer's smaller number asks for them. Without it the log ends where it ends.
   */
  end(
    streamId: string,
    lease: ResumableStreamLease,
    end: StoredEnd,
    lastSeq?: number,
  ): Promise<AppendVerdict>;
  /** Puts a vanished stream back under the same lease, with the entries that were not lost; an older generation goes. */
  restore(streamId: string, lease: ResumableStreamLease, options: StreamOpenOptions): Promise<AppendVerdict>;
  /** Ends the stream as `stopped`, whoever produces it; final at once. Idempotent. `null` where there is none. */
  stop(streamId: string): Promise<StreamRecord | null>;
  /** The stream's state; `null` where there is none. */
  inspect(streamId: string): Promise<StreamRecord | null>;
  /**
   * Reads on from `cursor` (`""` is the start) to the stream's end, across generations, at the reader's pace. A cursor of
   * another generation, or past the end of an ended log, is answered with a reset; one past the end of a living log waits
   * until the log is there again. Aborting ends it without an `end` item and without throwing. Throws
   * `invalid-cursor`.
   */
  follow(streamId: string, cursor: string, signal: AbortSignal): AsyncIterable<FollowItem>;
  /**
   * Calls `onLost`, once, when the lease is lost to a stop, a newer acquisition, a deletion or a lapse, wherever that
   * came from. Returns what ends the watch.
   */
  watchLease(streamId: string, lease: ResumableStreamLease, onLost: (loss: LeaseLoss) => void): () => void;
  /** The newest stream that was opened with this thread key; `null` where it is no more, or was opened anew without it. */
  find(thread: string): Promise<{ readonly streamId: string; readonly record: StreamRecord } | null>;
  /** Ends followers and timers. Streams stay, where the store outlives the process. */
  close(): Promise<void>;
}

/** Whether a store can hold streams of events. */
export function isEventStreamStore(store: ResumableStreamStore): store is EventStreamStore {
  return "open" in store && "appendBatch" in store && "follow" in store;
}
