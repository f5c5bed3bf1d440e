/**
 * What a scope and an endpoint have in a store. It is given nothing by those who were there before it was cleared, or whose
 * scope is not the one that sits here now.
 */
import { callSafely } from "../call-safely.ts";
import { checkpointKey, type CheckpointKind, type CheckpointStore } from "./checkpoint-store.ts";
import { defaultCheckpoints } from "./session-storage.ts";

/** What a scope and an endpoint have. */
export interface CheckpointArea {
  /** What is kept; `null` where there is nothing. A promise where the store takes its time; it is never rejected. */
  read(kind: CheckpointKind, id: string): string | null | Promise<string | null>;
  /** Keeps a text; `null` forgets it. A promise where the store takes its time; it is never rejected. */
  write(kind: CheckpointKind, id: string, text: string | null): void | Promise<void>;
}

/** How often stores were cleared. */
const clears = new WeakMap<CheckpointStore, number>();
/** Whose stores are; everybody's until somebody takes them. */
const scopes = new WeakMap<CheckpointStore, string>();

/** Opens what a scope and an endpoint have in a store; it is theirs until the store is cleared. */
export function checkpointArea(
  scope: string,
  endpoint: string,
  store: CheckpointStore = defaultCheckpoints(),
): CheckpointArea {
  const clearsBefore = clears.get(store);
  return {
    read: (kind, id) => callSafely(() => store.get(checkpointKey(scope, endpoint, kind, id)), null),
    write: (kind, id, text) =>
      callSafely(() => {
        if (clears.get(store) !== clearsBefore || (scopes.get(store) ?? scope) !== scope) return;
        const key = checkpointKey(scope, endpoint, kind, id);
        return text === null ? store.delete(key) : store.set(key, text);
      }),
  };
}

/** Forgets what a store holds for any other scope: another user sits here now. */
export function retainScope(scope: string, store: CheckpointStore = defaultCheckpoints()): void {
  scopes.set(store, scope);
  void callSafely(() => store.retainScope(scope));
}

/**
 * Forgets all checkpoints of a store, of every scope: call it when a user signs out. Sessions that are open go on, and store
 * nothing any more. A promise where the store takes its time; it is never rejected.
 *
 * @param store the tab's own, in `sessionStorage`, by default.
 */
export function clearCheckpoints(store: CheckpointStore = defaultCheckpoints()): void | Promise<void> {
  clears.set(store, (clears.get(store) ?? 0) + 1);
  return callSafely(() => store.clear());
}
