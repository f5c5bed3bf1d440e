"use client";
/** Looks at a part of something that changes, through one `useSyncExternalStore`. */
import { useRef, useSyncExternalStore } from "react";

/** Something that changes, and tells. */
export interface Observable<TState> {
  /** The state while hydrating, which must be the one that the server rendered with. */
  readonly idle: TState;
  getState(): TState;
  subscribe(listener: () => void): () => void;
}

/** What was selected last, and from what. */
interface Selected<TState, TSelection> {
  readonly state: TState;
  readonly select: unknown;
  readonly selection: TSelection;
}

/**
 * The selection of a state. The component renders again only when `isEqual` says that it changed, whatever the selector
 * returned; an inline selector is no new subscription.
 */
export function useSelection<TState, TSelection>(
  source: Observable<TState>,
  select: (state: TState) => TSelection,
  isEqual: (a: TSelection, b: TSelection) => boolean = Object.is,
): TSelection {
  // A cache, and no more: whichever render wrote it, what it gives is right.
  const cache = useRef<Selected<TState, TSelection> | null>(null);

  function read(state: TState): TSelection {
    const last = cache.current;
    if (last?.state === state && last.select === select) return last.selection;
    const next = select(state);
    // A selection that is equal to the one before keeps its identity, over inline selectors too.
    const selection = last !== null && isEqual(last.selection, next) ? last.selection : next;
    cache.current = { state, select, selection };
    return selection;
  }

  return useSyncExternalStore(
    source.subscribe,
    () => read(source.getState()),
    () => read(source.idle),
  );
}
