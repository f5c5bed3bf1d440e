/**
 * Checkpoints in `sessionStorage`: they outlive a reload, and go with the tab. Bounded; where storage is blocked, full or
 * not there at all, memory takes its place and nobody notices until a reload.
 */
import { isCheckpointKey, scopePrefix, type CheckpointStore } from "./checkpoint-store.ts";

/** Options of {@link sessionStorageCheckpoints}. */
export interface SessionStorageCheckpointsOptions {
  /** Where to store; `sessionStorage` by default. `localStorage` keeps checkpoints over tabs and restarts. */
  readonly storage?: () => Storage;
  /** UTF-16 units of one checkpoint; 256 K by default. A larger one is not stored, and the older one goes. */
  readonly maxLength?: number;
  /** UTF-16 units of all checkpoints; 1.5 M by default. The oldest go first, but long ones before short ones. */
  readonly maxTotalLength?: number;
}

/** What stands between a checkpoint and when it was written, by which the oldest is known also after a reload. */
const STAMP_END = "|";

/** UTF-16 units that free no room to speak of: marks of side effects, and names of streams. They go last. */
const SHORT = 1024;

/** What is known of a checkpoint. */
interface Entry {
  readonly length: number;
  /** Its text, where storage would not take it. */
  readonly text?: string;
}

/** Makes a store in `sessionStorage`. Touches it at the first use, not before. */
export function sessionStorageCheckpoints({
  storage = () => globalThis.sessionStorage,
  maxLength = 256 * 1024,
  maxTotalLength = 1_500_000,
}: SessionStorageCheckpointsOptions = {}): CheckpointStore {
  let stamp = 0;
  let total = 0;
  let index: Map<string, Entry> | undefined;

  /** Some browsers throw already when storage is looked at; a full one throws when it is written to. */
  function attempt<T>(action: (storage: Storage) => T): T | undefined {
    try {
      return action(storage());
    } catch {
      return undefined;
    }
  }

  function read(key: string): string {
    return attempt((place) => place.getItem(key)) ?? "";
  }

  /** All checkpoints, the oldest first: read from storage once, and kept up to date from then on. */
  function entries(): Map<string, Entry> {
    if (index === undefined) {
      index = new Map();
      const keys = attempt((place) => Array.from({ length: place.length }, (_, at) => place.key(at) ?? ""));
      const found = (keys ?? []).filter(isCheckpointKey).map((key) => [key, read(key)] as const);
      found.sort(([, a], [, b]) => (a < b ? -1 : 1));
      for (const [key, { length }] of found) add(key, { length });
    }
    return index;
  }

  function add(key: string, entry: Entry): void {
    total += entry.length;
    entries().set(key, entry);
  }

  /** Whether storage took it. */
  function write(key: string, text: string): boolean {
    const isWritten = attempt((place) => {
      place.setItem(key, text);
      add(key, { length: text.length });
      return true;
    });
    return isWritten ?? false;
  }

  function remove(key: string): void {
    const entry = entries().get(key);
    if (entries().delete(key)) total -= entry?.length ?? 0;
    attempt((place) => place.removeItem(key));
  }

  return {
    get(key) {
      const text = index?.get(key)?.text ?? read(key);
      return text.slice(text.indexOf(STAMP_END) + 1) || null;
    },
    set(key, value) {
      remove(key);
      if (value.length > maxLength) return;
      // Two writes within a millisecond are still one after the other.
      stamp = Math.max(stamp + 1, Date.now());
      const text = stamp + STAMP_END + value;
      for (const spared of [SHORT, 0]) {
        for (const [oldest, entry] of entries()) {
          const isRoom = total + text.length <= maxTotalLength;
          if (isRoom && write(key, text)) return;
          // What is only here takes no room there.
          if ((!isRoom || entry.text === undefined) && entry.length > spared) remove(oldest);
        }
      }
      if (!write(key, text)) add(key, { length: text.length, text });
    },
    delete: remove,
    retainScope(scope) {
      const kept = scopePrefix(scope);
      for (const key of entries().keys()) if (!key.startsWith(kept)) remove(key);
    },
    clear() {
      for (const key of entries().keys()) remove(key);
    },
  };
}

let shared: CheckpointStore | undefined;

/** The store of all who were given none: one, so that its bounds hold for all of them together. */
export function defaultCheckpoints(): CheckpointStore {
  return (shared ??= sessionStorageCheckpoints());
}
