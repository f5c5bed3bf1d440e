/**
 * Listeners to a stream's events, for side effects: at most once for an event over the life of the tab. The mark of the last
 * event is stored before they are called, so one that is cut short by a reload is not called again.
 */
import { parseCursor, type Position } from "../shared/cursor.ts";
import type { CheckpointStore } from "./checkpoints/checkpoint-store.ts";

/** About an event: whether it was sent before, and is now read again from the log. */
export interface StreamEventInfo {
  /** It was read before `rejoin.live`: it may be long past. */
  readonly replayed: boolean;
  /** The cursor just after it. */
  readonly cursor: string;
}

/**
 * Called for each event, for side effects. At most once for an event over the life of the tab: its mark is stored before
 * the call. Calls are in order.
 */
export type StreamEventListener = (payload: string, info: StreamEventInfo) => void;

/** The listeners of a stream. */
export interface SideEffects {
  add(listener: StreamEventListener): () => void;
  /** Takes the mark that was stored. */
  restore(mark: string | null): void;
  /** Calls the listeners, unless they were called for this event before. */
  fire(payload: string, position: Position, info: StreamEventInfo): void;
}

/** Makes the listeners of a stream, whose mark is kept under `key`. */
export function createSideEffects(checkpoints: CheckpointStore, key: string): SideEffects {
  const listeners = new Set<StreamEventListener>();
  let mark: Position | null = null;
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    restore(stored) {
      mark = parseCursor(stored ?? "");
    },
    fire(payload, position, info) {
      if (listeners.size === 0) return;
      if (mark?.generation === position.generation && position.seq <= mark.seq) return;
      mark = position;
      void checkpoints.set(key, info.cursor);
      for (const listener of listeners) callSafely(() => listener(payload, info));
    },
  };
}

/** Calls what the app gave: its faults are its own, and stop nothing here. */
export function callSafely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    console.error("rejoin: a callback failed:", error);
  }
}
