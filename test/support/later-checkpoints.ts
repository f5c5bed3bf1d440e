/** A place for checkpoints that takes its time, as IndexedDB and AsyncStorage do. */
import { memoryCheckpoints } from "../../src/client/checkpoints/memory.ts";
import type { CheckpointStore } from "../../src/client/checkpoints/checkpoint-store.ts";

/** Turns until it has done what it was asked; the clock stands still meanwhile. */
const TURNS = 20;

/** A store that does everything a while after it was asked, and says so then. */
export function laterCheckpoints(): CheckpointStore {
  const memory = memoryCheckpoints();
  async function later<T>(action: () => T): Promise<T> {
    for (let turn = 0; turn < TURNS; turn += 1) await undefined;
    return action();
  }
  return {
    get: (key) => later(() => memory.get(key)),
    set: (key, value) => later(() => memory.set(key, value)),
    delete: (key) => later(() => memory.delete(key)),
    retainScope: (scope) => later(() => memory.retainScope(scope)),
    clear: () => later(() => memory.clear()),
  };
}
