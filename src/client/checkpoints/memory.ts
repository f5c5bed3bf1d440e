/** Checkpoints in memory: they outlive a component, but no reload. */
import { isCheckpointKey, type CheckpointStore } from "./checkpoint-store.ts";

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
  return {
    get: (key) => values.get(key) ?? null,
    set(key, value) {
      values.delete(key);
      values.set(key, value);
      let total = 0;
      for (const { length } of values.values()) total += length;
      for (const [oldest, { length }] of values) {
        if (total <= MAX_TOTAL) return;
        values.delete(oldest);
        total -= length;
      }
    },
    delete: (key) => void values.delete(key),
    retainScope(scope) {
      for (const key of values.keys()) if (!isCheckpointKey(key, scope)) values.delete(key);
    },
    clear: () => values.clear(),
  };
}
