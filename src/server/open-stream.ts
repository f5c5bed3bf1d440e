/**
 * Opens a stream on a store that may lose the answer: under one claim, the same `open` is repeated until it is known what
 * came of it; and where that takes too long the claim is taken back, so that the next request starts afresh and does not
 * follow a stream that nobody produces.
 */
import { createClaim } from "../shared/cursor.ts";
import { isResumableStreamError } from "../shared/errors.ts";
import { outlastAbsence } from "./store-absence.ts";
import type { EventStreamStore, StreamOpening, StreamOpenOptions } from "./stores/stream-store.ts";
import { delay } from "./timers.ts";

/** Options of {@link openStream}. */
export interface OpenStreamOptions {
  readonly store: EventStreamStore;
  readonly streamId: string;
  readonly open: StreamOpenOptions;
  /** How long a store that is away is asked again, in milliseconds. */
  readonly retryForMs: number;
  /** Fires when nobody wants the stream any more; its reason is thrown then. */
  readonly signal: AbortSignal;
  /** Gets the promise of what goes on after the answer. */
  readonly inBackground: (promise: Promise<unknown>) => void;
}

/** How long it is tried to take an open back. */
const ABANDON_FOR_MS = 10 * 60_000;

/** Opens a stream. Throws what the store throws. */
export async function openStream(options: OpenStreamOptions): Promise<StreamOpening> {
  const { store, streamId, retryForMs, signal, inBackground } = options;
  const claim = createClaim();
  const open = (): Promise<StreamOpening> => store.open(streamId, { ...options.open, claim });
  try {
    const opening = await open().catch((error: unknown) =>
      outlastAbsence(open, error, retryForMs, async (ms) => {
        await delay(ms, signal);
        return !signal.aborted;
      }),
    );
    signal.throwIfAborted();
    return opening;
  } catch (error) {
    if (isResumableStreamError(error, "store-unavailable")) inBackground(abandon(store, streamId, claim));
    throw error;
  }
}

/** Takes an open back, as soon as the store is there. Never rejects. */
async function abandon(store: EventStreamStore, streamId: string, claim: string): Promise<void> {
  const call = (): Promise<void> => store.abandon(streamId, claim);
  try {
    await call().catch((error: unknown) =>
      outlastAbsence(call, error, ABANDON_FOR_MS, async (ms) => {
        await delay(ms);
        return true;
      }),
    );
  } catch {
    // Then it is found out as any producer is that was lost.
  }
}
