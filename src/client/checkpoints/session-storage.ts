/**
 * Checkpoints in `sessionStorage`: they outlive a reload, and go with the tab. Bounded; where storage is blocked, full or
 * not there at all, memory takes its place and nobody notices until a reload.
 */
import { isCheckpointKey, scopePrefix, type CheckpointStore } from "./checkpoint-store.ts";
import { memoryCheckpoints, type MemoryCheckpoints } from "./memory.ts";

/** Options of {@link sessionStorageCheckpoints}. */
export interface SessionStorageCheckpointsOptions {
  /** Where to store; `sessionStorage` by default. `localStorage` keeps checkpoints over tabs and restarts. */
  readonly storage?: () => Storage;
  /** UTF-16 units of one checkpoint; 256 K by default. A larger one is not stored, and the older one goes. */
  readonly maxLength?: number;
  /** UTF-16 units of all checkpoints; 1.5 M by default. The oldest go first. */
  readonly maxTotalLength?: number;
}

/** What stands before a checkpoint: when it was written, so that the oldest is known also after a reload. */
const STAMP = /^(\d+)\|/;

/** Makes a store in `sessionStorage`. Touches it at the first use, not before. */
export function sessionStorageCheckpoints(options: SessionStorageCheckpointsOptions = {}): CheckpointStore {
  const maxLength = options.maxLength ?? 256 * 1024;
  const maxTotalLength = options.maxTotalLength ?? 1_500_000;
  const openStorage = options.storage ?? (() => globalThis.sessionStorage);
  const fallback: MemoryCheckpoints = memoryCheckpoints();
  let opened: Storage | null | undefined;
  let stamp = 0;
  let kept: string | undefined;
  let known: Map<string, { readonly length: number; readonly stamp: number }> | undefined;

  /** Storage, if it may be used: some browsers throw already when it is looked at. */
  function storage(): Storage | null {
    if (opened === undefined) opened = attempt(openStorage) ?? null;
    return opened;
  }

  /** Length and age of each checkpoint of ours: read from storage once, and kept up to date from then on. */
  function index(): Map<string, { readonly length: number; readonly stamp: number }> {
    if (known !== undefined) return known;
    const found = new Map<string, { readonly length: number; readonly stamp: number }>();
    const store = storage();
    const all =
      attempt(() => Array.from({ length: store?.length ?? 0 }, (_, at) => store?.key(at) ?? "")) ?? [];
    for (const key of all.filter(isCheckpointKey)) {
      const value = read(key) ?? "";
      found.set(key, { length: value.length, stamp: Number(STAMP.exec(value)?.[1] ?? 0) });
    }
    known = found;
    return found;
  }

  function read(key: string): string | null {
    return attempt(() => storage()?.getItem(key) ?? null) ?? null;
  }

  function remove(key: string): void {
    index().delete(key);
    attempt(() => storage()?.removeItem(key));
  }

  /** Whether it was written. A full storage throws. */
  function write(key: string, value: string): boolean {
    const isWritten = attempt(() => {
      storage()?.setItem(key, value);
      return storage() !== null;
    });
    if (isWritten === true) index().set(key, { length: value.length, stamp });
    return isWritten ?? false;
  }

  return {
    get(key) {
      return fallback.get(key) ?? read(key)?.replace(STAMP, "") ?? null;
    },
    set(key, value) {
      if (kept !== undefined && !key.startsWith(kept)) return;
      fallback.delete(key);
      if (value.length > maxLength) return remove(key);
      // Two writes within a millisecond are still one after the other.
      stamp = Math.max(stamp + 1, Date.now());
      const stamped = `${stamp}|${value}`;
      const old = [...index()]
        .filter(([other]) => other !== key)
        .toSorted(([, a], [, b]) => a.stamp - b.stamp);
      let total = old.reduce((sum, [, { length }]) => sum + length, stamped.length);
      for (const [other, { length }] of old) {
        if (total <= maxTotalLength && write(key, stamped)) return;
        remove(other);
        total -= length;
      }
      if (write(key, stamped)) return;
      remove(key);
      fallback.set(key, value);
    },
    delete(key) {
      fallback.delete(key);
      remove(key);
    },
    retainScope(scope) {
      fallback.retainScope(scope);
      kept = scopePrefix(scope);
      for (const key of [...index().keys()].filter((other) => !other.startsWith(scopePrefix(scope))))
        remove(key);
    },
    clear() {
      fallback.clear();
      for (const key of Array.from(index().keys())) remove(key);
    },
  };
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** Forgets all checkpoints of this tab, of every scope: call it when a user signs out. */
export function clearCheckpoints(): void {
  void sessionStorageCheckpoints().clear();
}
