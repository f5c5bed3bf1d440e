/** The part of a store that belongs to a scope and an endpoint: what is asked of the store is done one after the other. */
import { checkpointKey, type CheckpointKind, type CheckpointStore } from "./checkpoint-store.ts";

/** What belongs to a scope and an endpoint. */
export interface CheckpointArea {
  /** What is kept; `null` where there is nothing. A promise where the store takes its time; it is never rejected. */
  read(kind: CheckpointKind, id: string): string | null | Promise<string | null>;
  /** Keeps a text; `null` forgets it. A promise where the store takes its time; it is never rejected. */
  write(kind: CheckpointKind, id: string, text: string | null): void | Promise<void>;
}

/** What each store was asked last, where it takes its time. */
const lastOf = new WeakMap<CheckpointStore, Promise<unknown>>();

/** Opens the part of a store that belongs to a scope and an endpoint. */
export function checkpointArea(store: CheckpointStore, scope: string, endpoint: string): CheckpointArea {
  const keyOf = (kind: CheckpointKind, id: string): string => checkpointKey(scope, endpoint, kind, id);
  return {
    read: (kind, id) => ask(store, null, () => store.get(keyOf(kind, id))),
    write: (kind, id, text) =>
      ask(store, undefined, () =>
        text === null ? store.delete(keyOf(kind, id)) : store.set(keyOf(kind, id), text),
      ),
  };
}

/** Forgets what a store holds for any other scope. */
export function retainScope(store: CheckpointStore, scope: string): void {
  void ask(store, undefined, () => store.retainScope(scope));
}

/** Asks a store, after all that it was asked before. What it cannot do costs a replay, and is told. */
function ask<T>(store: CheckpointStore, otherwise: T, question: () => T | Promise<T>): T | Promise<T> {
  const fail = (error: unknown): T => {
    console.error("rejoin: a checkpoint store failed:", error);
    return otherwise;
  };
  try {
    const last = lastOf.get(store);
    const answer = last === undefined ? question() : last.then(question);
    if (!isPromise(answer)) return answer;
    const settled = Promise.resolve(answer).catch(fail);
    lastOf.set(store, settled);
    return settled;
  } catch (error) {
    return fail(error);
  }
}

/** Whether something takes its time. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null && "then" in value;
}
