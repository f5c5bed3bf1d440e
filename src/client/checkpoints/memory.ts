/** Checkpoints in memory: they outlive a component, but no reload. */
import { scopePrefix, type CheckpointStore } from "./checkpoint-store.ts";

/** A store that answers at once. */
export interface MemoryCheckpoints extends CheckpointStore {
  get(key: string): string | null;
  set(key: string, value: string): void;
  delete(key: string): void;
  retainScope(scope: string): void;
  clear(): void;
}

/** UTF-16 units of all checkpoints. */
const MAX_TOTAL = 4_000_000;

/** Makes a store in memory; the oldest checkpoints go when there are too many. */
export function memoryCheckpoints(): MemoryCheckpoints {
  const values = new Map<string, string>();
  let total = 0;
  let kept: string | undefined;

  function forget(key: string): void {
    total -= values.get(key)?.length ?? 0;
    values.delete(key);
  }

  return {
    get: (key) => values.get(key) ?? null,
    set(key, value) {
      if (kept !== undefined && !key.startsWith(kept)) return;
      forget(key);
      values.set(key, value);
      total += value.length;
      for (const oldest of values.keys()) {
        if (total <= MAX_TOTAL) break;
        forget(oldest);
      }
    },
    delete: forget,
    retainScope(scope) {
      kept = scopePrefix(scope);
      for (const key of values.keys()) if (!key.startsWith(scopePrefix(scope))) forget(key);
    },
    clear() {
      values.clear();
      total = 0;
    },
  };
}
