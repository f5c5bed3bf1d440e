/** Looks at a part of something that changes, through one `useSyncExternalStore`. */
import { useDebugValue, useMemo, useEffect, useState, useSyncExternalStore } from "react";

/** Something that changes, and tells. */
export interface Observable<TState> {
  getState(): TState;
  subscribe(listener: () => void): () => void;
}

/**
 * The selection of a state. The component renders again only when `isEqual` says that it changed, whatever the selector
 * returned; an inline selector is no new subscription.
 *
 * @param serverState the state while hydrating, which must be the one that the server rendered with.
 */
export function useSelection<TState, TSelection>(
  source: Observable<TState>,
  serverState: TState,
  select: (state: TState) => TSelection,
  isEqual: (a: TSelection, b: TSelection) => boolean = Object.is,
): TSelection {
  /** What is on the screen: a selection equal to it is replaced by it, so that identity is kept over selectors. */
  const [shown] = useState(createShown<TSelection>);

  const read = useMemo(() => createSelectionReader(select, isEqual, shown), [select, isEqual, shown]);
  const selection = useSyncExternalStore(
    source.subscribe,
    () => read(source.getState()),
    () => read(serverState),
  );
  useEffect(() => {
    shown.set(selection);
  });
  useDebugValue(selection);
  return selection;
}

/** Reads selections: the same one for the same state, and the one before for one that is equal to it. */
function createSelectionReader<TState, TSelection>(
  select: (state: TState) => TSelection,
  isEqual: (a: TSelection, b: TSelection) => boolean,
  shown: Shown<TSelection>,
): (state: TState) => TSelection {
  let last: { readonly state: TState; readonly selection: TSelection } | undefined;
  return (state) => {
    if (last !== undefined && Object.is(last.state, state)) return last.selection;
    const next = select(state);
    const before = last ?? shown.get();
    const selection = before !== undefined && isEqual(before.selection, next) ? before.selection : next;
    last = { state, selection };
    return selection;
  };
}

/** What a component shows, as of its last commit. */
interface Shown<TSelection> {
  get(): { readonly selection: TSelection } | undefined;
  set(selection: TSelection): void;
}

function createShown<TSelection>(): Shown<TSelection> {
  let shown: { readonly selection: TSelection } | undefined;
  return {
    get: () => shown,
    set(selection) {
      shown = { selection };
    },
  };
}
