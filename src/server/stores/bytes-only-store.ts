/**
 * Lets a store that knows only the seven methods of {@link ResumableStreamStore} hold streams of bytes. What such a store
 * cannot do throws `unsupported`, so that an app learns at once and not when a user presses Stop.
 */
import { ResumableStreamError } from "../../shared/errors.ts";
import { payloadToBytes } from "./limits.ts";
import { storedError } from "./stream-state.ts";
import type { EventStreamStore, FollowItem, ResumableStreamStore, StreamRecord } from "./stream-store.ts";

/** The record of a stream whose store tells no more than its status. */
function recordOf(status: StreamRecord["status"], lastSeq: number): StreamRecord {
  return { generation: "", status, lastSeq, owner: null, protocol: null };
}

/** Wraps a store of bytes. */
export function adaptBytesOnlyStore(store: ResumableStreamStore): EventStreamStore {
  /** Entries that each producer of this process appended: such a store does not number them for us. */
  const appended = new Map<string, number>();
  const producerOf = (streamId: string, token: string): string => `${streamId} ${token}`;

  function unsupported(what: string): never {
    throw new ResumableStreamError(
      "unsupported",
      `This store holds bytes only and cannot ${what}. Use rejoin's memory or Redis store.`,
    );
  }

  return {
    // The store enforces its own, which it does not tell.
    limits: { maxChunkBytes: Infinity, maxEntriesPerStream: Infinity, maxStreamBytes: Infinity },
    acquire: (streamId, options) => store.acquire(streamId, options),
    async acquireLease(streamId, options) {
      if (store.acquireLease !== undefined) return store.acquireLease(streamId, options);
      const role = await store.acquire(streamId, options);
      return role === "producer" ? { role, lease: { token: "" } } : { role };
    },
    append: (streamId, chunk, lease) => store.append(streamId, chunk, lease),
    finalize: (streamId, status, error, lease) => store.finalize(streamId, status, error, lease),
    read: (streamId, cursor, signal) => store.read(streamId, cursor, signal),
    status: (streamId) => store.status(streamId),
    delete: (streamId) => store.delete(streamId),

    async open(streamId, options) {
      if (options.protocol !== null) unsupported("hold a stream of events");
      const acquireOptions = options.ttlMs === undefined ? undefined : { ttlMs: options.ttlMs };
      const acquisition = await this.acquireLease(streamId, acquireOptions);
      const record = recordOf("streaming", 0);
      if (acquisition.role === "consumer") return { role: "consumer", record };
      // What was produced under the id before, without a lease too, says nothing of this one.
      appended.set(producerOf(streamId, acquisition.lease.token), 0);
      return { role: "producer", lease: acquisition.lease, record };
    },
    async appendBatch(streamId, lease, firstSeq, payloads) {
      let lastSeq = firstSeq - 1;
      for (const payload of payloads) {
        await store.append(streamId, payloadToBytes(payload), leaseArgument(lease.token));
        lastSeq += 1;
        appended.set(producerOf(streamId, lease.token), lastSeq);
      }
      return { verdict: "ok", lastSeq };
    },
    async renew(streamId, lease) {
      return { verdict: "ok", lastSeq: appended.get(producerOf(streamId, lease.token)) ?? 0 };
    },
    async end(streamId, lease, end) {
      const producer = producerOf(streamId, lease.token);
      const lastSeq = appended.get(producer) ?? 0;
      appended.delete(producer);
      const status = end.status === "done" ? "done" : "error";
      const ended = await store.finalize(streamId, status, end.error?.message, leaseArgument(lease.token));
      // A store that resolves without a value has ended the stream.
      return ended === false ? { verdict: "superseded" } : { verdict: "ok", lastSeq };
    },
    // Such a store does not tell who acquired a stream.
    async abandon() {},
    restore: async () => ({ verdict: "deleted" }),
    stop: async () => unsupported("stop a stream"),
    find: async () => unsupported("find a stream by thread"),
    watchLease: () => () => {},
    async close() {},
    async inspect(streamId) {
      const status = await store.status(streamId);
      return status === "missing" ? null : recordOf(status, 0);
    },
    async *follow(streamId, cursor, signal): AsyncGenerator<FollowItem> {
      yield { type: "position", record: recordOf("streaming", 0), seq: 0, reset: false };
      const iterator = store.read(streamId, cursor, signal)[Symbol.asyncIterator]();
      try {
        for (let seq = 1; ; seq += 1) {
          // A store may take its time to notice the signal; its reader need not.
          const result = await unlessAborted(iterator.next(), signal);
          if (result === undefined || result.done === true || signal.aborted) break;
          yield { type: "entries", firstSeq: seq, payloads: [result.value.chunk] };
        }
      } catch (error) {
        if (signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        yield { type: "end", end: { status: "error", error: { ...storedError("source-failed"), message } } };
        return;
      } finally {
        await iterator.return?.();
      }
      if (!signal.aborted) yield { type: "end", end: { status: "done" } };
    },
  };
}

/** A store without leases must not see the one that stands in for it. */
function leaseArgument(token: string): { token: string } | undefined {
  return token === "" ? undefined : { token };
}

/** What a promise comes to, or `undefined` once the signal fires. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const leave = (): void => resolve(undefined);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
