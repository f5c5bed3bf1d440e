/**
 * Follows a stream in a store: passes on what the store tells, in order and once, over the store's short absences and
 * never into another owner's stream.
 */
import { formatCursor } from "../shared/cursor.ts";
import { isResumableStreamError } from "../shared/errors.ts";
import type { Producer } from "./producer.ts";
import { storedError } from "./stores/stream-state.ts";
import type { EventStreamStore, FollowItem } from "./stores/stream-store.ts";

/** Options of {@link followStream}. */
export interface FollowerOptions {
  readonly store: EventStreamStore;
  readonly streamId: string;
  /** Whose stream the follower was let in to. */
  readonly owner: string | null;
  readonly cursor: string;
  readonly signal: AbortSignal;
  readonly storeAwayMs: number;
  /** The stream's producer, where it is in this process: it knows before the store does how the stream ends. */
  readonly producer: Producer | undefined;
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 250;

/**
 * Yields what the store tells, `live` once a generation. Ends without an `end` item when it is aborted, or when the store
 * stays away: that is a cut, and the client resumes elsewhere.
 */
export async function* followStream(options: FollowerOptions): AsyncGenerator<FollowItem> {
  const { store, streamId, owner, producer, signal } = options;
  let cursor = options.cursor;
  let generation: string | undefined;
  let live = false;
  let awaySinceMs: number | undefined;
  while (!signal.aborted) {
    try {
      for await (const item of store.follow(streamId, cursor, signal)) {
        awaySinceMs = undefined;
        if (item.type === "position") {
          if (item.record.owner !== owner) {
            yield { type: "end", end: { status: "missing", error: storedError("deleted") } };
            return;
          }
          // Where reading goes on after an absence, the follower is told nothing new.
          if (item.record.generation === generation && !item.reset) continue;
          generation = item.record.generation;
          live = false;
          cursor = formatCursor(generation, item.seq);
        } else if (item.type === "live") {
          if (live) continue;
          live = true;
        }
        yield item;
        if (item.type === "end") return;
        if (item.type === "entries" && generation !== undefined && generation !== "") {
          cursor = formatCursor(generation, item.firstSeq + item.payloads.length - 1);
        }
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!isResumableStreamError(error, "store-unavailable")) throw error;
      awaySinceMs ??= performance.now();
      if (producer?.storeLost === true) {
        yield { type: "end", end: { status: "error", error: storedError("store-unavailable") } };
        return;
      }
      if (performance.now() - awaySinceMs >= options.storeAwayMs && producer?.running !== true) {
        options.onError(error);
        return;
      }
      await delay(RETRY_MS, signal);
    }
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
