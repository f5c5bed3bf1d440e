/**
 * The context: what an app's server does with streams, over one store. It elects producers and starts them, and makes
 * followers; it knows nothing of HTTP but the bytes of an SSE response.
 */
import { assertStreamId } from "../shared/cursor.ts";
import { isResumableStreamError, ResumableStreamError } from "../shared/errors.ts";
import type { StreamProtocol } from "../shared/protocols/protocol.ts";
import { DEFAULT_HEARTBEAT_MS, MAX_THREAD_KEY_BYTES, type StreamStatus } from "../shared/wire.ts";
import type { SourceChunk } from "./event-framing.ts";
import { renderBytes, renderEvents } from "./follow-body.ts";
import { followStream } from "./follower.ts";
import { openStream } from "./open-stream.ts";
import { startProducer, type FinishedStream, type Producer, type ProducerHooks } from "./producer.ts";
import type { MakeSource } from "./source.ts";
import { adaptBytesOnlyStore } from "./stores/bytes-only-store.ts";
import { assertPositiveInteger, payloadBytes } from "./stores/limits.ts";
import {
  isEventStreamStore,
  type EventStreamStore,
  type ResumableStreamRole,
  type ResumableStreamStore,
  type StreamOpening,
  type StreamOpenOptions,
  type StreamRecord,
} from "./stores/stream-store.ts";

/** A protocol of any message. */
type AnyProtocol = StreamProtocol<unknown>;

/** Options of {@link createResumableStreamContext}. */
export interface ResumableStreamContextOptions {
  /** Where the logs are: rejoin's memory or Redis store; for streams of bytes, any store of the seven methods. */
  readonly store: ResumableStreamStore;
  /**
   * Protocols of streams that other processes, or an earlier version of this one, may have started: their `endMarker` is
   * sent to clients without control events. Those given to `run` are known by themselves.
   */
  readonly protocols?: readonly AnyProtocol[];
  /** Milliseconds after the last sign of life until a stream expires; the store's default, 24 hours, otherwise. */
  readonly ttlMs?: number;
  /** Milliseconds without a sign of life after which a producer counts as lost; 10,000 by default. */
  readonly leaseMs?: number;
  /**
   * Milliseconds that a store may be away before a stream ends as `store-unavailable`; 30,000 by default. A stream that is
   * to be started waits as long for it, but no longer than 10 s.
   */
  readonly storeAwayMs?: number;
  /** Milliseconds without an event until a follow response sends a comment; 15,000 by default. */
  readonly heartbeatMs?: number;
  /**
   * Gets the promise of each producer. Required where the platform ends background work with the response: pass `after`
   * from `next/server`, or `ctx.waitUntil`.
   */
  readonly waitUntil?: (promise: Promise<unknown>) => void;
  /** The text that users may read of an error of a source. Without it, or where it gives none, a default text is sent. */
  readonly toPublicError?: (error: unknown) => string | undefined;
  /** Called when `run` knows its role. */
  readonly onAcquire?: (streamId: string, role: ResumableStreamRole) => unknown;
  /** Called for each entry once the store has it. */
  readonly onAppend?: (streamId: string, byteLength: number) => unknown;
  /** Called once when a producer of this process has ended its stream, or was stopped. */
  readonly onFinalize?: (streamId: string, status: "done" | "error" | "stopped", error?: string) => unknown;
  /** Called with errors of sources, stores and callbacks, for the app's log. `console.error` by default. */
  readonly onError?: (streamId: string, error: unknown) => unknown;
}

/** Options of `run` for a stream of events. */
export interface RunEventsOptions<TMessage> {
  /** The language of the source's payloads. */
  readonly protocol: StreamProtocol<TMessage>;
  /** Whom the stream belongs to: an id of the app's own, or `null` for nobody in particular. */
  readonly owner: string | null;
  /** The app's own key, such as a chat's id, at most 256 bytes: its newest stream can be asked for. */
  readonly thread?: string | undefined;
  /** Where the stream ended as `producer-lost`: run the source again, as a new generation. */
  readonly takeover?: boolean | undefined;
  /** Called once, where the producer ran, with the answer to save, whoever is connected. Awaited by `waitUntil`. */
  readonly onFinish?: ((finished: FinishedStream<TMessage>) => unknown) | undefined;
  /** Whether the response has control events; false by default. */
  readonly control?: boolean | undefined;
  /** Where to read from; the start by default. */
  readonly cursor?: string | undefined;
}

/** Options of `resume` and `requireResume`. */
export interface ResumeOptions {
  /** Where to read from; the start by default. */
  readonly cursor?: string | undefined;
  /** For a stream of events: whether there are control events; false by default. */
  readonly control?: boolean | undefined;
  /** The owner that the caller was let in for: a stream of another's is missing. Any owner by default. */
  readonly owner?: string | null | undefined;
}

/** What an app's server does with streams. */
export interface ResumableStreamContext {
  /**
   * Starts a stream, or follows the one that has the id already. `makeStream` is called in the one process that became
   * the producer. The result is the stream from its start; cancelling it never stops the producer.
   *
   * With a protocol the source is framed into events and the result is SSE, as in `docs/PROTOCOL.md`. Without one each
   * chunk is an entry of bytes, and the result is the same bytes; it errors where the source did.
   *
   * Throws `invalid-id`, `store-unavailable`; `missing` where the id is another owner's; `unsupported` where the store
   * holds bytes only.
   */
  run<TMessage>(
    streamId: string,
    makeStream: MakeSource<SourceChunk>,
    options: RunEventsOptions<TMessage>,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  run(streamId: string, makeStream: MakeSource<Uint8Array>): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** Follows a stream; `null` when it is missing. */
  resume(streamId: string, options?: ResumeOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | null>;
  /** Follows a stream; throws `missing` when it is. */
  requireResume(streamId: string, options?: ResumeOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** What the stream is. */
  status(streamId: string): Promise<StreamStatus>;
  /** The stream's state, with its owner; `null` when it is missing. */
  inspect(streamId: string): Promise<StreamRecord | null>;
  /** The newest stream of an app's own key; `null` where there is none. */
  find(thread: string): Promise<{ readonly streamId: string; readonly record: StreamRecord } | null>;
  /**
   * Stops the stream, wherever it is produced: final in the store first, then the source's `signal` fires. What was
   * written stays. Idempotent; a stream that has ended stays as it ended. Returns its state, `null` when it is missing.
   */
  stop(streamId: string): Promise<StreamRecord | null>;
  /** Forgets the stream; its producer is aborted and its followers are told. */
  delete(streamId: string): Promise<void>;
  /**
   * For a deploy: no stream is started or followed any more (`store-unavailable`), followers are cut, so that clients
   * resume elsewhere, and producers may finish within `drainMs` (0 by default); those that do not end as
   * `producer-lost`. Where the store is away, or an `onFinish` does not come back, it is over 5 s after that all the same.
   * The store is the app's to close.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

const DEFAULT_LEASE_MS = 10_000;
const DEFAULT_STORE_AWAY_MS = 30_000;
/** A request that starts a stream waits no longer than this for a store that is away. */
const OPEN_FOR_MS = 10_000;
/** How long a context that is closed waits for what does not come to its end. */
const LET_GO_MS = 5_000;

/** Makes a context. Throws `RangeError` for an option that cannot be. */
export function createResumableStreamContext(options: ResumableStreamContextOptions): ResumableStreamContext {
  const store: EventStreamStore = isEventStreamStore(options.store)
    ? options.store
    : adaptBytesOnlyStore(options.store);
  const leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
  const storeAwayMs = options.storeAwayMs ?? DEFAULT_STORE_AWAY_MS;
  const heartbeatMs = options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS;
  assertPositiveInteger("leaseMs", leaseMs);
  assertPositiveInteger("storeAwayMs", storeAwayMs);
  assertPositiveInteger("heartbeatMs", heartbeatMs);
  if (options.ttlMs !== undefined) {
    assertPositiveInteger("ttlMs", options.ttlMs);
    if (options.ttlMs <= leaseMs) {
      throw new RangeError(
        `ttlMs (${options.ttlMs}) must be longer than leaseMs (${leaseMs}), or streams expire in use.`,
      );
    }
  }
  const protocols = new Map<string, AnyProtocol>(
    options.protocols?.map((protocol) => [protocol.name, protocol]),
  );
  const producers = new Map<string, Producer>();
  /** Openings, producers, and what goes on after them. */
  const pending = new Set<Promise<unknown>>();
  const closing = new AbortController();

  const context: ResumableStreamContext = {
    async run<TMessage>(
      streamId: string,
      makeStream: MakeSource<SourceChunk> | MakeSource<Uint8Array>,
      runOptions?: RunEventsOptions<TMessage>,
    ) {
      assertOpen();
      assertStreamId(streamId);
      const open = openOptionsOf(runOptions);
      const opening = await underWay(
        openStream({
          store,
          streamId,
          open,
          retryForMs: Math.min(storeAwayMs, OPEN_FOR_MS),
          signal: closing.signal,
          inBackground: (promise) => options.waitUntil?.(underWay(promise)),
        }),
      );
      callHook("onAcquire", options.onAcquire, streamId, opening.role);
      if (opening.role === "producer") produce(streamId, opening, open, makeStream, runOptions);
      // Somebody else's stream is not to be told from none.
      else if (runOptions !== undefined && opening.record.owner !== runOptions.owner) throw missing(streamId);
      if (runOptions !== undefined) learn(runOptions.protocol);
      return follow(streamId, opening.record, runOptions ?? {});
    },

    async resume(streamId, resumeOptions = {}) {
      const record = await context.inspect(streamId);
      const { owner } = resumeOptions;
      if (record === null || (owner !== undefined && owner !== record.owner)) return null;
      return follow(streamId, record, resumeOptions);
    },

    async requireResume(streamId, resumeOptions) {
      const stream = await context.resume(streamId, resumeOptions);
      if (stream === null) throw missing(streamId);
      return stream;
    },

    async status(streamId) {
      return (await context.inspect(streamId))?.status ?? "missing";
    },

    async inspect(streamId) {
      assertOpen();
      assertStreamId(streamId);
      return store.inspect(streamId);
    },

    async find(thread) {
      assertOpen();
      assertThreadKey(thread);
      return store.find(thread);
    },

    async stop(streamId) {
      assertStreamId(streamId);
      return store.stop(streamId);
    },

    async delete(streamId) {
      assertStreamId(streamId);
      await store.delete(streamId);
    },

    async close({ drainMs = 0 } = {}) {
      if (closing.signal.aborted) return;
      closing.abort(
        new ResumableStreamError(
          "store-unavailable",
          "This context is closed: the client should resume elsewhere.",
        ),
      );
      await within(drainMs, settled());
      for (const producer of producers.values()) producer.abort("producer-lost");
      await within(LET_GO_MS, settled());
    },
  };
  return context;

  function produce<TMessage>(
    streamId: string,
    opening: Extract<StreamOpening, { role: "producer" }>,
    open: StreamOpenOptions,
    makeSource: MakeSource<SourceChunk> | MakeSource<Uint8Array>,
    runOptions: RunEventsOptions<TMessage> | undefined,
  ): void {
    const hooks: ProducerHooks = {
      onAppend: (byteLength) => callHook("onAppend", options.onAppend, streamId, byteLength),
      onFinalize: (status, error) =>
        error === undefined
          ? callHook("onFinalize", options.onFinalize, streamId, status)
          : callHook("onFinalize", options.onFinalize, streamId, status, error),
      onError: (error) => callHook("onError", options.onError ?? logError, streamId, error),
    };
    const producer = startProducer<TMessage>({
      store,
      streamId,
      lease: opening.lease,
      open,
      protocol: runOptions?.protocol ?? null,
      makeSource,
      hooks,
      storeAwayMs,
      toPublicError: options.toPublicError,
      onFinish: runOptions?.onFinish,
    });
    producers.set(streamId, producer);
    const done = underWay(producer.done).finally(() => {
      if (producers.get(streamId) === producer) producers.delete(streamId);
    });
    options.waitUntil?.(done);
  }

  function follow(
    streamId: string,
    record: StreamRecord,
    followOptions: ResumeOptions,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const abort = new AbortController();
    const producer = producers.get(streamId);
    const signals = [abort.signal, closing.signal];
    if (producer !== undefined) signals.push(producer.storeLoss);
    const items = followStream({
      store,
      streamId,
      owner: record.owner,
      cursor: followOptions.cursor ?? "",
      signal: AbortSignal.any(signals),
      storeAwayMs,
      producer,
      onError: (error) => callHook("onError", options.onError ?? logError, streamId, error),
    });
    if (record.protocol === null) return renderBytes(streamId, items, abort);
    return renderEvents(items, abort, {
      control: followOptions.control ?? false,
      endMarker: protocols.get(record.protocol)?.endMarker,
      heartbeatMs,
    });
  }

  function openOptionsOf<TMessage>(runOptions: RunEventsOptions<TMessage> | undefined): StreamOpenOptions {
    const ttl = options.ttlMs === undefined ? {} : { ttlMs: options.ttlMs };
    if (runOptions === undefined) return { ...ttl, owner: null, protocol: null, leaseMs };
    // Types cannot keep plain JavaScript from leaving it out, and then everybody's streams would be anybody's.
    if (runOptions.owner === undefined) {
      throw new TypeError(
        "`owner` is required for a stream of events: an id of your users', or an explicit null.",
      );
    }
    if (runOptions.thread !== undefined) assertThreadKey(runOptions.thread);
    return {
      ...ttl,
      owner: runOptions.owner,
      protocol: runOptions.protocol.name,
      leaseMs,
      ...(runOptions.thread === undefined ? {} : { thread: runOptions.thread }),
      ...(runOptions.takeover === undefined ? {} : { takeover: runOptions.takeover }),
    };
  }

  function learn(protocol: AnyProtocol): void {
    if (!protocols.has(protocol.name)) protocols.set(protocol.name, protocol);
  }

  function assertOpen(): void {
    closing.signal.throwIfAborted();
  }

  /** Notes what `close` waits for. */
  function underWay<T>(promise: Promise<T>): Promise<T> {
    pending.add(promise);
    const over = (): void => void pending.delete(promise);
    promise.then(over, over);
    return promise;
  }

  /** Resolves when nothing is under way, nor what that has begun. */
  async function settled(): Promise<void> {
    while (pending.size > 0) await Promise.allSettled(pending);
  }
}

/** Throws `TypeError` where plain JavaScript left the owner out: then everybody's streams would be anybody's. */
export function assertOwner(owner: string | null | undefined): void {
  if (owner === null || typeof owner === "string") return;
  throw new TypeError(
    "`owner` is required for a stream of events: an id of your users', or an explicit null.",
  );
}

/** Throws `invalid-request` unless a text can be a thread key. */
function assertThreadKey(thread: string): void {
  const bytes = payloadBytes(thread);
  if (bytes > 0 && bytes <= MAX_THREAD_KEY_BYTES) return;
  throw new ResumableStreamError(
    "invalid-request",
    `A thread key has 1 to ${MAX_THREAD_KEY_BYTES} bytes, not ${bytes}.`,
  );
}

function missing(streamId: string): ResumableStreamError {
  return new ResumableStreamError("missing", `resumable stream not found: ${streamId}`);
}

function logError(streamId: string, error: unknown): void {
  // A stop or a deletion is somebody's wish.
  if (isResumableStreamError(error, "deleted")) return;
  console.error(`rejoin: stream ${streamId}:`, error);
}

/** An app's hook changes nothing here, also when it throws or rejects. */
function callHook<TArgs extends unknown[]>(
  name: string,
  hook: ((...args: TArgs) => unknown) | undefined,
  ...args: TArgs
): void {
  if (hook === undefined) return;
  const report = (error: unknown): void => console.error(`rejoin: the ${name} hook failed:`, error);
  try {
    const result = hook(...args);
    if (result instanceof Promise) result.catch(report);
  } catch (error) {
    report(error);
  }
}

function within(ms: number, promise: Promise<unknown>): Promise<unknown> {
  if (ms <= 0) return Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
