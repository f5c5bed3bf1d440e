/**
 * What a scope and an endpoint have in a store. The store is asked one thing after the other, and is given nothing by those
 * who were there before it was cleared, or whose scope is not the one that sits here now.
 */
import { checkpointKey, type CheckpointKind, type CheckpointStore } from "./checkpoint-store.ts";
import { defaultCheckpoints } from "./session-storage.ts";

/** What a scope and an endpoint have. */
export interface CheckpointArea {
  /** What is kept; `null` where there is nothing. A promise where the store takes its time; it is never rejected. */
  read(kind: CheckpointKind, id: string): string | null | Promise<string | null>;
  /** Keeps a text; `null` forgets it. A promise where the store takes its time; it is never rejected. */
  write(kind: CheckpointKind, id: string, text: string | null): void | Promise<void>;
}

/** What is known of a store. */
interface Place {
  /** What it was asked last, once it has taken its time for something. */
  last?: Promise<unknown>;
  /** How often it was cleared. */
  clears: number;
  /** Whose it is; everybody's until somebody takes it. */
  scope?: string;
}

const places = new WeakMap<CheckpointStore, Place>();

function placeOf(store: CheckpointStore): Place {
  const known = places.get(store);
  if (known !== undefined) return known;
  const place: Place = { clears: 0 };
  places.set(store, place);
  return place;
}

/** Opens what a scope and an endpoint have in a store; it is theirs until the store is cleared. */
export function checkpointArea(
  scope: string,
  endpoint: string,
  store: CheckpointStore = defaultCheckpoints(),
): CheckpointArea {
  const place = placeOf(store);
  const { clears } = place;
  const keyOf = (kind: CheckpointKind, id: string): string => checkpointKey(scope, endpoint, kind, id);
  return {
    read: (kind, id) => ask(store, null, () => store.get(keyOf(kind, id))),
    write: (kind, id, text) =>
      ask(store, undefined, () => {
        const { clears: clearsNow, scope: scopeNow = scope } = place;
        if (clearsNow !== clears || scopeNow !== scope) return;
        return text === null ? store.delete(keyOf(kind, id)) : store.set(keyOf(kind, id), text);
      }),
  };
}

/** Forgets what a store holds for any other scope: another user sits here now. */
export function retainScope(scope: string, store: CheckpointStore = defaultCheckpoints()): void {
  placeOf(store).scope = scope;
  void ask(store, undefined, () => store.retainScope(scope));
}

/**
 * Forgets all checkpoints of a store, of every scope: call it when a user signs out. Sessions that are open go on, and store
 * nothing any more. A promise where the store takes its time; it is never rejected.
 *
 * @param store the tab's own, in `sessionStorage`, by default.
 */
export function clearCheckpoints(store: CheckpointStore = defaultCheckpoints()): void | Promise<void> {
  placeOf(store).clears += 1;
  return ask(store, undefined, () => store.clear());
}

/** Asks a store, after all that it was asked before. What it cannot do costs a replay, and is told. */
function ask<T>(store: CheckpointStore, otherwise: T, question: () => T | Promise<T>): T | Promise<T> {
  const place = placeOf(store);
  const fail = (error: unknown): T => {
    console.error("rejoin: a checkpoint store failed:", error);
    return otherwise;
  };
  try {
    const answer = place.last === undefined ? question() : place.last.then(question);
    if (!isPromise(answer)) return answer;
    const settled = Promise.resolve(answer).catch(fail);
    place.last = settled;
    return settled;
  } catch (error) {
    return fail(error);
  }
}

/** Whether something takes its time. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && "then" in value;
}
