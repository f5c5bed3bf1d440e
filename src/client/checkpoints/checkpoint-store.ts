/**
 * The contract of a place for checkpoints. A checkpoint is one text, written and read as a whole; losing it costs a
 * replay, never an answer, so a store may drop what it likes, and none of its methods may throw.
 *
 * A store that answers at once lets a reloaded page paint the answer in its first frame; one that answers with promises
 * works too, a moment later. Its promises must settle, and it does what it is asked in the order in which it is asked, as
 * IndexedDB does.
 */
export interface CheckpointStore {
  /** The text under a key; `null` where there is none. */
  get(key: string): string | null | Promise<string | null>;
  /** Keeps a text under a key, in place of the one before; or drops both, when it is too large. */
  set(key: string, value: string): void | Promise<void>;
  /** Forgets what is under a key. */
  delete(key: string): void | Promise<void>;
  /** Forgets what was stored for any other scope: another user sits here now. */
  retainScope(scope: string): void | Promise<void>;
  /** Forgets everything. Apps call {@link clearCheckpoints} in its place, which also tells the sessions that are open. */
  clear(): void | Promise<void>;
}

/** Every key begins so; what follows is the scope. */
const PREFIX = "rejoin:";

/** Beginning of all keys of a scope. */
function scopePrefix(scope: string): string {
  return `${PREFIX}${encodeURIComponent(scope)}:`;
}

/** What is kept: the checkpoint of a stream, the mark of its last side effect, the last stream of a thread. */
export type CheckpointKind = "stream" | "mark" | "thread";

/** Key of something about a stream, or a thread, of an endpoint. */
export function checkpointKey(scope: string, endpoint: string, kind: CheckpointKind, id: string): string {
  return `${scopePrefix(scope)}${kind}:${encodeURIComponent(endpoint)}:${id}`;
}

/** Whether a key is one of ours; with a scope, whether it is one of that scope's. For stores that share a place with others. */
export function isCheckpointKey(key: string, scope?: string): boolean {
  return key.startsWith(scope === undefined ? PREFIX : scopePrefix(scope));
}
