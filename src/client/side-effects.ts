/**
 * Listeners to a stream's events, for side effects: at most once for an event over the life of the tab. The mark of the last
 * event is stored before they are called, so one that is cut short by a reload is not called again.
 */
import { parseCursor, type Position } from "../shared/cursor.ts";
import { callSafely, isPromise } from "./call-safely.ts";

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

/** An event that was new to the fold. */
export interface NewEvent {
  readonly payload: string;
  readonly position: Position;
  readonly info: StreamEventInfo;
}

/** The listeners of a stream. */
export interface SideEffects {
  add(listener: StreamEventListener): () => void;
  /** Takes the mark that was stored. */
  restore(mark: string | null): void;
  /** Calls the listeners for all events for which they were not called before, once the mark of the last is stored. */
  fire(events: readonly NewEvent[]): void;
}

/**
 * Makes the listeners of a stream.
 *
 * @param storeMark keeps a mark; after what it kept before, where that takes its time.
 */
export function createSideEffects(storeMark: (mark: string) => unknown): SideEffects {
  const listeners = new Set<StreamEventListener>();
  let mark: Position | null = null;
  return {
    add(listener) {
      // One that is registered twice is two: each ends by itself.
      const mine: StreamEventListener = (payload, info) => listener(payload, info);
      listeners.add(mine);
      return () => listeners.delete(mine);
    },
    restore(stored) {
      mark = parseCursor(stored ?? "");
    },
    fire(events) {
      // Whoever listens when an event comes is called for it, also where that takes a moment.
      const called = [...listeners];
      const news = events.filter(
        ({ position }) => position.generation !== mark?.generation || position.seq > mark.seq,
      );
      const last = news.at(-1);
      if (last === undefined || called.length === 0) return;
      mark = last.position;
      const call = (): void => {
        for (const { payload, info } of news)
          for (const listener of called) void callSafely(() => listener(payload, info));
      };
      const stored = storeMark(last.info.cursor);
      if (isPromise(stored)) void stored.then(call);
      else call();
    },
  };
}
