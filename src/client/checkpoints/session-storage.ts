/**
 * Checkpoints in `sessionStorage`: they outlive a reload, and go with the tab. Bounded; where storage is blocked, full or
 * not there at all, memory takes its place and nobody notices until a reload.
 */
import { isCheckpointKey, type CheckpointStore } from "./checkpoint-store.ts";

/** Options of {@link sessionStorageCheckpoints}. */
export interface SessionStorageCheckpointsOptions {
  /** Where to store; `sessionStorage` by default. `localStorage` keeps checkpoints over tabs and restarts. */
  readonly storage?: () => Storage;
  /** UTF-16 units of one checkpoint; 256 K by default. A larger one is not stored, and the older one goes. */
  readonly maxLength?: number;
  /** UTF-16 units of all checkpoints; 1.5 M by default. The oldest go first, but long ones before short ones. */
  readonly maxTotalLength?: number;
}

/** UTF-16 units that free no room to speak of: marks of side effects, and names of streams. They go last. */
const SHORT = 1024;

/** What stands between when a checkpoint was written, by which the oldest is known also after a reload, and its text. */
const STAMP_END = "|";

/** Makes a store in `sessionStorage`. Touches it at the first use, not before. */
export function sessionStorageCheckpoints({
  storage = () => globalThis.sessionStorage,
  maxLength = 256 * 1024,
  maxTotalLength = 1_500_000,
}: SessionStorageCheckpointsOptions = {}): CheckpointStore {
  let stamp = 0;
  /** What storage does not take. */
  const refused = new Map<string, string>();

  /** Some browsers throw already when storage is looked at; a full one throws when it is written to. */
  function attempt<T>(action: (place: Storage) => T): T | undefined {
    try {
      return action(storage());
    } catch {
      return undefined;
    }
  }

  /** All checkpoints. Other tabs, and the app, may have changed what is in storage. */
  function all(): (readonly [key: string, text: string])[] {
    const found = (place: Storage): [string, string][] =>
      Array.from({ length: place.length }, (_, at) => place.key(at) ?? "")
        .filter((key) => isCheckpointKey(key))
        .map((key) => [key, place.getItem(key) ?? ""]);
    return [...(attempt(found) ?? []), ...refused];
  }

  function remove(key: string): void {
    refused.delete(key);
    attempt((place) => place.removeItem(key));
  }

  return {
    get(key) {
      const text = attempt((place) => place.getItem(key)) ?? refused.get(key);
      return text?.slice(text.indexOf(STAMP_END) + 1) ?? null;
    },
    set(key, value) {
      remove(key);
      if (value.length > maxLength) return;
      // Two writes within a millisecond are still one after the other.
      stamp = Math.max(stamp + 1, Date.now());
      const text = stamp + STAMP_END + value;
      refused.set(key, text);
      const entries = all();
      let total = 0;
      for (const [, { length }] of entries) total += length;
      const isShort = ({ length }: string): number => Number(length <= SHORT);
      for (const [oldest, old] of entries.toSorted(
        ([, a], [, b]) => isShort(a) - isShort(b) || (a < b ? -1 : 1),
      )) {
        if (total > maxTotalLength) {
          remove(oldest);
          total -= old.length;
        } else {
          if (attempt((place) => (place.setItem(key, text), true))) return void refused.delete(key);
          // Full: room is made there, and not here.
          remove(oldest);
          refused.set(oldest, old);
        }
      }
    },
    delete: remove,
    retainScope(scope) {
      for (const [key] of all()) if (!isCheckpointKey(key, scope)) remove(key);
    },
    clear() {
      for (const [key] of all()) remove(key);
    },
  };
}

let shared: CheckpointStore | undefined;

/** The store of all who were given none: one, so that its bounds hold for all of them together. */
export function defaultCheckpoints(): CheckpointStore {
  return (shared ??= sessionStorageCheckpoints());
}
