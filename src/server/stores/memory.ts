/**
 * The store in this process' memory: for one server instance, for development and for tests. Streams are gone with the
 * process. Bounded in streams, entries and bytes; expired streams are swept by one timer, armed only while one is due.
 */
import { assertStreamId } from "../../shared/cursor.ts";
import { ResumableStreamError } from "../../shared/errors.ts";
import { unrefTimer } from "../timers.ts";
import {
  assertPositiveInteger,
  DEFAULT_TTL_MS,
  limitExceeded,
  payloadBytes,
  resolveLimits,
} from "./limits.ts";
import { locate, readEntries } from "./read-entries.ts";
import { lossError, notFound, requireCursor } from "./store-errors.ts";
import {
  appendEntries,
  condemnProducer,
  endStream,
  expireStream,
  isLapsed,
  isUnbegun,
  leaseLoss,
  openStream,
  recordOf,
  renewLease,
  stopStream,
  storedEndOf,
  storedError,
  type StreamState,
} from "./stream-state.ts";
import type {
  EntryPayload,
  EventStreamStore,
  FollowItem,
  LeaseLoss,
  StreamOpening,
  StreamOpenOptions,
} from "./stream-store.ts";

/** Options of {@link createInMemoryResumableStreamStore}. */
export interface InMemoryResumableStreamStoreOptions {
  /** Milliseconds after the last append or renewal until a stream expires; 24 hours by default. */
  readonly defaultTtlMs?: number;
  /** The clock, in milliseconds; `Date.now` by default. */
  readonly now?: () => number;
  /** Bytes of one entry; 1 MiB by default. */
  readonly maxChunkBytes?: number;
  /** Entries of one stream; 100,000 by default. */
  readonly maxEntriesPerStream?: number;
  /** Bytes of all entries of one stream; 8 MiB by default. */
  readonly maxStreamBytes?: number;
  /** Streams, ended ones included, until they expire; 10,000 by default. One more throws `maxStreams exceeded`. */
  readonly maxStreams?: number;
  /** Milliseconds at least between two sweeps for expired streams; 1,000 by default. */
  readonly gcIntervalMs?: number;
}

/** A store in memory. `dispose` is `close`, at once. */
export interface InMemoryResumableStreamStore extends EventStreamStore, AsyncDisposable {
  dispose(): void;
}

/** One generation of a stream. */
interface StreamLog {
  state: StreamState;
  readonly entries: EntryPayload[];
  readonly thread: string | undefined;
  /** Called after each change: followers that wait, and watchers of the lease. */
  readonly listeners: Set<() => void>;
  /** Why the log is no longer in the store. A generation that another one took over has none. */
  gone?: "deleted" | "expired";
}

/** Entries that a follower is handed at once. */
const PAGE_ENTRIES = 512;
/** Milliseconds between two looks at the leases. */
const LEASE_CHECK_MS = 500;
/** The longest delay that timers keep (32 bits, signed). */
const MAX_TIMER_MS = 2_147_483_647;

/** Makes a store in memory. */
export function createInMemoryResumableStreamStore(
  options: InMemoryResumableStreamStoreOptions = {},
): InMemoryResumableStreamStore {
  const now = options.now ?? Date.now;
  const defaultTtlMs = options.defaultTtlMs ?? DEFAULT_TTL_MS;
  const maxStreams = options.maxStreams ?? 10_000;
  const gcIntervalMs = options.gcIntervalMs ?? 1_000;
  assertPositiveInteger("maxStreams", maxStreams);
  assertPositiveInteger("gcIntervalMs", gcIntervalMs);
  const limits = resolveLimits(options);

  const logs = new Map<string, StreamLog>();
  const threads = new Map<string, { readonly streamId: string; readonly generation: string }>();
  const leased = new Set<string>();
  /** The newest generation of all. */
  let newest: string | undefined;
  const closing = new AbortController();

  // Sweeping.
  let nextExpiry = Infinity;
  let sweepTimer: ReturnType<typeof setTimeout> | undefined;

  function expectExpiry(expiresAt: number): void {
    if (expiresAt >= nextExpiry) return;
    nextExpiry = expiresAt;
    armSweep();
  }

  function armSweep(): void {
    clearTimeout(sweepTimer);
    if (nextExpiry === Infinity || closing.signal.aborted) return;
    const delay = Math.min(Math.max(nextExpiry - now(), gcIntervalMs), MAX_TIMER_MS);
    sweepTimer = setTimeout(sweep, delay);
    unrefTimer(sweepTimer);
  }

  function sweep(): void {
    const time = now();
    if (time >= nextExpiry) {
      nextExpiry = Infinity;
      for (const [id, log] of logs) {
        if (expireStream(log.state, time) === null) remove(id, log, "expired");
        else nextExpiry = Math.min(nextExpiry, log.state.expiresAt);
      }
    }
    armSweep();
  }

  // Leases. A process that slept must not condemn a producer that slept with it, so a verdict needs `leaseMs` of
  // unbroken looks at the clock.
  let leaseTimer: ReturnType<typeof setInterval> | undefined;
  let lastLook = now();
  let awakeSince = lastLook;

  function look(): number {
    const time = now();
    if (time - lastLook > 3 * LEASE_CHECK_MS) awakeSince = time;
    lastLook = time;
    return time;
  }

  function watchLeases(id: string): void {
    leased.add(id);
    if (leaseTimer !== undefined || closing.signal.aborted) return;
    awakeSince = lastLook = now();
    leaseTimer = setInterval(checkLeases, LEASE_CHECK_MS);
    unrefTimer(leaseTimer);
  }

  function checkLeases(): void {
    look();
    for (const id of leased) {
      const log = logs.get(id);
      if (log !== undefined) settle(id, log);
      if (logs.get(id)?.state.leaseUntil == null) leased.delete(id);
    }
    if (leased.size > 0) return;
    clearInterval(leaseTimer);
    leaseTimer = undefined;
  }

  /** Lets the clock have its say on one stream; false when the stream is no more. */
  function settle(id: string, log: StreamLog): boolean {
    const time = now();
    if (expireStream(log.state, time) === null) {
      remove(id, log, "expired");
      return false;
    }
    if (isLapsed(log.state, time) && leaseTimer !== undefined) {
      look();
      if (time - awakeSince >= (log.state.leaseMs ?? 0)) update(log, condemnProducer(log.state, time));
    }
    return true;
  }

  function current(streamId: string): StreamLog | undefined {
    assertStreamId(streamId);
    const log = logs.get(streamId);
    return log !== undefined && settle(streamId, log) ? log : undefined;
  }

  function update(log: StreamLog, state: StreamState | null): void {
    if (state === null || state === log.state) return;
    log.state = state;
    for (const listener of log.listeners) listener();
  }

  function remove(id: string, log: StreamLog, gone: "deleted" | "expired"): void {
    log.gone = gone;
    if (logs.get(id) === log) logs.delete(id);
    leased.delete(id);
    forgetThread(log);
    for (const listener of log.listeners) listener();
  }

  function forgetThread({ thread, state }: StreamLog): void {
    if (thread !== undefined && threads.get(thread)?.generation === state.generation) threads.delete(thread);
  }

  async function open(streamId: string, openOptions: StreamOpenOptions): Promise<StreamOpening> {
    const log = current(streamId);
    if (log === undefined && logs.size >= maxStreams) {
      sweep();
      if (logs.size >= maxStreams) {
        throw new ResumableStreamError(
          "limit-exceeded",
          `maxStreams exceeded (${maxStreams}): raise maxStreams, shorten the TTL, or delete streams that are done.`,
        );
      }
    }
    const ttlMs = openOptions.ttlMs ?? defaultTtlMs;
    const { state, result } = openStream(log?.state ?? null, { ...openOptions, ttlMs }, now(), newest);
    if (result.role === "consumer" || state === null) return result;
    if (state.generation === log?.state.generation) {
      update(log, state);
      return result;
    }
    newest = state.generation;
    const thread = openOptions.thread;
    if (log !== undefined) forgetThread(log);
    logs.set(streamId, { state, entries: [], thread, listeners: new Set() });
    expectExpiry(state.expiresAt);
    if (state.leaseUntil !== null) watchLeases(streamId);
    if (thread !== undefined && (threads.get(thread)?.generation ?? "") < state.generation) {
      threads.set(thread, { streamId, generation: state.generation });
    }
    // Followers of the generation before go on in this one.
    for (const listener of log?.listeners ?? []) listener();
    return result;
  }

  const store: InMemoryResumableStreamStore = {
    limits,
    open,

    async abandon(streamId, claim) {
      const log = current(streamId);
      if (log !== undefined && isUnbegun(log.state, claim)) remove(streamId, log, "deleted");
    },

    async acquireLease(streamId, acquireOptions) {
      const opening = await open(streamId, { ...acquireOptions, owner: null, protocol: null });
      return opening.role === "producer" ? { role: "producer", lease: opening.lease } : { role: "consumer" };
    },

    async acquire(streamId, acquireOptions) {
      return (await store.acquireLease(streamId, acquireOptions)).role;
    },

    async appendBatch(streamId, lease, firstSeq, payloads) {
      return append(current(streamId), lease.token, firstSeq, payloads);
    },

    async append(streamId, chunk, lease) {
      const log = current(streamId);
      if (log === undefined) throw notFound(streamId);
      const verdict = append(log, lease?.token, log.state.lastSeq + 1, [new Uint8Array(chunk)]);
      if (verdict.verdict === "limit") throw limitExceeded(streamId, verdict.limit, limits);
      if (verdict.verdict !== "ok") throw lossError(streamId, verdict);
    },

    async renew(streamId, lease) {
      const log = current(streamId);
      const { state, result } = renewLease(log?.state ?? null, lease.token, now());
      if (log !== undefined) update(log, state);
      return result;
    },

    async end(streamId, lease, end, lastSeq) {
      const log = current(streamId);
      const { state, result } = endStream(log?.state ?? null, lease.token, end, lastSeq, now());
      if (log !== undefined) update(log, state);
      return result;
    },

    async finalize(streamId, status, error, lease) {
      const log = current(streamId);
      if (log === undefined) throw notFound(streamId);
      const end =
        status === "done"
          ? { status }
          : { status, error: { code: "source-failed" as const, message: error ?? "Stream errored" } };
      if (leaseLoss(log.state, lease?.token) !== null) return false;
      update(log, endStream(log.state, lease?.token, end, undefined, now()).state);
      return true;
    },

    async restore(streamId, lease) {
      // Memory does not lose streams, so there is never anything to put back.
      const verdict = await store.renew(streamId, lease);
      return verdict.verdict === "vanished" ? { verdict: "deleted" } : verdict;
    },

    async stop(streamId) {
      const log = current(streamId);
      const { state, result } = stopStream(log?.state ?? null, now());
      if (log !== undefined) update(log, state);
      return result;
    },

    async inspect(streamId) {
      const log = current(streamId);
      return log === undefined ? null : recordOf(log.state);
    },

    async status(streamId) {
      return current(streamId)?.state.status ?? "missing";
    },

    async delete(streamId) {
      const log = current(streamId);
      if (log !== undefined) remove(streamId, log, "deleted");
    },

    follow,

    read: (streamId, cursor, signal) => readEntries(streamId, follow(streamId, cursor, signal), signal),

    watchLease(streamId, lease, onLost) {
      const log = logs.get(streamId);
      if (log === undefined || log.state.generation !== lease.token) {
        const loss: LeaseLoss = log === undefined ? { verdict: "deleted" } : { verdict: "superseded" };
        queueMicrotask(() => onLost(loss));
        return () => {};
      }
      const listener = (): void => {
        const loss = log.gone ? ({ verdict: "deleted" } as const) : leaseLoss(log.state, lease.token);
        if (loss === null) return;
        log.listeners.delete(listener);
        onLost(loss);
      };
      log.listeners.add(listener);
      listener();
      return () => log.listeners.delete(listener);
    },

    async find(thread) {
      const found = threads.get(thread);
      const log = found && current(found.streamId);
      return found && log ? { streamId: found.streamId, record: recordOf(log.state) } : null;
    },

    dispose() {
      closing.abort();
      clearTimeout(sweepTimer);
      clearInterval(leaseTimer);
      leaseTimer = undefined;
    },

    async close() {
      store.dispose();
    },

    async [Symbol.asyncDispose]() {
      store.dispose();
    },
  };
  return store;

  function append(
    log: StreamLog | undefined,
    token: string | undefined,
    firstSeq: number,
    payloads: readonly EntryPayload[],
  ) {
    const sizes = payloads.map(payloadBytes);
    const { state, result } = appendEntries(log?.state ?? null, token, firstSeq, sizes, limits, now());
    if (log !== undefined) {
      for (let index = result.from; index < result.to; index += 1) {
        const payload = payloads[index];
        if (payload !== undefined) log.entries.push(payload);
      }
      update(log, state);
    }
    return result.verdict;
  }

  async function* follow(streamId: string, cursor: string, signal: AbortSignal): AsyncGenerator<FollowItem> {
    let position = cursor === "" ? undefined : requireCursor(cursor);
    const stopped = AbortSignal.any([signal, closing.signal]);
    let log = current(streamId);
    if (log === undefined) {
      yield { type: "end", end: { status: "missing", error: storedError("missing") } };
      return;
    }
    while (!stopped.aborted) {
      const { seq, reset } = locate(log.state, position);
      yield { type: "position", record: recordOf(log.state), seq, reset };
      let next = seq + 1;
      let live = false;
      let successor: StreamLog | undefined;
      while (successor === undefined) {
        if (stopped.aborted) return;
        // The clock has nothing to say any more of a generation that another one took over.
        if (logs.get(streamId) === log) settle(streamId, log);
        const newest = logs.get(streamId);
        if (log.gone !== undefined) {
          yield { type: "end", end: { status: "missing", error: storedError(log.gone) } };
          return;
        }
        if (newest !== undefined && newest !== log) successor = newest;
        else if (next <= log.entries.length) {
          const payloads = log.entries.slice(next - 1, next - 1 + PAGE_ENTRIES);
          yield { type: "entries", firstSeq: next, payloads };
          next += payloads.length;
        } else {
          const end = storedEndOf(log.state);
          if (end !== null) {
            yield { type: "end", end };
            return;
          }
          if (live) await changed(log, stopped);
          else {
            live = true;
            yield { type: "live" };
          }
        }
      }
      position = { generation: log.state.generation, seq: next - 1 };
      log = successor;
    }
  }
}

function changed(log: StreamLog, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      log.listeners.delete(wake);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    log.listeners.add(wake);
    signal.addEventListener("abort", wake);
    if (signal.aborted) wake();
  });
}
