/**
 * The store on Redis (6.2 or newer), Valkey, or a cluster of them. Each change of a stream is one script and one round trip,
 * by Redis' clock; followers are told on a channel, over one connection a process.
 */
import { assertStreamId, createClaim, invalidId, isStreamId } from "../../../shared/cursor.ts";
import { publicMessageOf } from "../../error-facts.ts";
import { unrefTimer } from "../../timers.ts";
import { assertPositiveInteger, DEFAULT_TTL_MS, limitExceeded, resolveLimits } from "../limits.ts";
import { readEntries } from "../read-entries.ts";
import { lossError, notFound } from "../store-errors.ts";
import { storedEndOf } from "../stream-state.ts";
import type {
  AppendVerdict,
  EntryPayload,
  EventStreamStore,
  FollowItem,
  LeaseLoss,
  ResumableStreamLease,
  StoredEnd,
  StreamOpening,
  StreamOpenOptions,
  StreamRecord,
} from "../stream-store.ts";
import { createAttempt } from "./attempts.ts";
import { createContact } from "./contact.ts";
import { createRedisKeys } from "./keys.ts";
import type { RedisArgument, RedisConnection } from "./redis-connection.ts";
import {
  hasLapsed,
  readInspection,
  readState,
  readVerdict,
  replyOf,
  writeOptional,
  type RedisInspection,
  type RedisReply,
} from "./replies.ts";
import { RESULT } from "./result-codes.ts";
import { createAppend } from "./scripts/append.ts";
import { end as endScript } from "./scripts/end.ts";
import { forget as forgetScript } from "./scripts/forget.ts";
import { inspect as inspectScript } from "./scripts/inspect.ts";
import { keyName } from "./scripts/key-name.ts";
import { open as openScript } from "./scripts/open.ts";
import { renew as renewScript } from "./scripts/renew.ts";
import { restore as restoreScript } from "./scripts/restore.ts";
import type { RedisScript } from "./scripts/script.ts";
import { setThread } from "./scripts/set-thread.ts";
import { stop as stopScript } from "./scripts/stop.ts";
import { PAGE_ENTRIES, StreamFollow } from "./stream-follow.ts";
import { createStreamTails, type TakenTail } from "./stream-tails.ts";

/** Options of the Redis stores. */
export interface RedisResumableStreamStoreOptions {
  /** What all keys begin with; `rejoin` by default. */
  readonly keyPrefix?: string;
  /** Milliseconds after the last append or renewal until a stream expires; 24 hours by default. */
  readonly defaultTtlMs?: number;
  /** Bytes of one entry; 1 MiB by default. */
  readonly maxChunkBytes?: number;
  /** Entries of one stream; 100,000 by default. */
  readonly maxEntriesPerStream?: number;
  /** Bytes of all entries of one stream; 8 MiB by default. */
  readonly maxStreamBytes?: number;
  /**
   * Milliseconds between two looks at a followed stream, only to be sure: followers are told of changes at once. 10,000 by
   * default; at least 2,500.
   */
  readonly pollIntervalMs?: number;
}

/** A store on Redis. */
export interface RedisResumableStreamStore extends EventStreamStore, AsyncDisposable {}

const LEAST_CHECK_MS = 2_500;
/** Streams whose acquisition an instance remembers; the oldest have long ended. */
const MAX_ACQUIRED = 20_000;
/** What a thread key is kept for beyond its stream's TTL, which appends refresh. */
const THREAD_EXTRA_MS = 24 * 60 * 60 * 1_000;
/** A thread key that could not be set is tried again, for so long. */
const THREAD_RETRY_MS = 1_000;
const THREAD_RETRY_FOR_MS = 10 * 60_000;
const LOST_TEXT = publicMessageOf("producer-lost");

/** Makes the store on a connection. */
export function createRedisStore(
  connection: RedisConnection,
  options: RedisResumableStreamStoreOptions = {},
): RedisResumableStreamStore {
  const keys = createRedisKeys(options.keyPrefix ?? "rejoin");
  const limits = resolveLimits(options);
  const defaultTtlMs = options.defaultTtlMs ?? DEFAULT_TTL_MS;
  assertPositiveInteger("defaultTtlMs", defaultTtlMs);
  const checkMs = Math.max(options.pollIntervalMs ?? 10_000, LEAST_CHECK_MS);
  const closing = new AbortController();
  const appendScript = createAppend(limits);
  const contact = createContact();
  const attempt = createAttempt(contact);
  /** Generations that this instance acquired: what it may miss, and what its calls without a lease mean. */
  const acquired = new Map<string, string>();

  /** Pages that are being read. */
  const pages = new Map<string, Promise<readonly EntryPayload[]>>();

  // Commands.

  function run(script: RedisScript, keyNames: string[], args: readonly RedisArgument[]): Promise<RedisReply> {
    return attempt(() => connection.run(script, keyNames, args)).then(replyOf);
  }

  async function look(streamId: string, known = "", seenUntil = ""): Promise<RedisInspection> {
    return readInspection(await run(inspectScript, [keys.meta(streamId)], [seenUntil, known, LOST_TEXT]));
  }

  /**
   * Looks; and where the lease has lapsed, and this process may say so, says so.
   *
   * @param known a generation that was there: an older one is none.
   */
  async function lookAndCondemn(streamId: string, known?: string): Promise<RedisInspection> {
    const inspection = await look(streamId, known);
    if (!hasLapsed(inspection) || contact.patienceMs(inspection.leaseMs ?? 0) > 0) return inspection;
    return look(streamId, known, String(inspection.leaseUntil));
  }

  const tails = createStreamTails({
    connection,
    contact,
    checkMs,
    channelOf,
    inspect: lookAndCondemn,
    attempt,
  });

  /** What the client puts before keys; once it is known. */
  let clientPrefix: Promise<string> | undefined;

  /** Where a stream's changes are told: scripts know the whole name, and what is subscribed to gets no prefix. */
  async function channelOf(streamId: string): Promise<string> {
    const key = keys.meta(streamId);
    clientPrefix ??= attempt(() => connection.run(keyName, [key], [])).then(
      (name) => String(name).slice(0, -key.length),
      (error: unknown) => {
        clientPrefix = undefined;
        throw error;
      },
    );
    return (await clientPrefix) + key;
  }

  // Opening.

  async function open(streamId: string, openOptions: StreamOpenOptions): Promise<StreamOpening> {
    assertStreamId(streamId);
    // A producer that is lost, but of which nobody has said so yet, can be taken over too.
    if (openOptions.takeover === true && hasLapsed(await lookAndCondemn(streamId))) attend(streamId);
    const ttlMs = openOptions.ttlMs ?? defaultTtlMs;
    const reply = await run(
      openScript,
      [keys.meta(streamId)],
      [
        openOptions.claim ?? createClaim(),
        String(ttlMs),
        String(openOptions.leaseMs ?? ""),
        writeOptional(openOptions.owner),
        writeOptional(openOptions.protocol),
        openOptions.takeover === true ? "1" : "0",
      ],
    );
    const { record } = readState(reply);
    if (reply[0] !== RESULT.producer) return { role: "consumer", record };
    acquired.delete(streamId);
    acquired.set(streamId, record.generation);
    for (const oldest of acquired.keys()) {
      if (acquired.size <= MAX_ACQUIRED) break;
      acquired.delete(oldest);
    }
    const { thread } = openOptions;
    if (thread !== undefined) {
      await nameThread(thread, [record.generation, streamId, String(ttlMs + THREAD_EXTRA_MS)]);
    }
    return { role: "producer", lease: { token: record.generation }, record };
  }

  /** Resolves after the first try: a stream that was won is not lost for its thread key, which follows. */
  async function nameThread(thread: string, args: readonly string[], untilMs?: number): Promise<void> {
    const until = untilMs ?? performance.now() + THREAD_RETRY_FOR_MS;
    try {
      await attempt(() => connection.run(setThread, [keys.thread(thread)], args));
    } catch {
      if (closing.signal.aborted || performance.now() > until) return;
      unrefTimer(setTimeout(() => void nameThread(thread, args, until), THREAD_RETRY_MS));
    }
  }

  /** What a lease's call came to. What never was here cannot have vanished. */
  function settle(streamId: string, token: string, verdict: AppendVerdict): AppendVerdict {
    if (verdict.verdict === "vanished" && acquired.get(streamId) !== token) return { verdict: "deleted" };
    return verdict;
  }

  const dataKeys = (streamId: string, token: string): string[] => [
    keys.meta(streamId),
    keys.data(streamId, token),
  ];

  /**
   * Appends entries from a number on; `""` is the next one, whatever that is. Not `async`: of what an event costs, each
   * promise is a part.
   */
  function appendEntries(
    streamId: string,
    lease: ResumableStreamLease,
    firstSeq: number | "",
    payloads: readonly EntryPayload[],
  ): Promise<AppendVerdict> {
    if (!isStreamId(streamId)) return Promise.reject(invalidId(streamId));
    const { token } = lease;
    const tellsPayloads = payloads.every((payload) => typeof payload === "string");
    const args = [token, String(firstSeq), tellsPayloads ? "1" : "0", ...payloads];
    return attempt(() => connection.run(appendScript, dataKeys(streamId, token), args)).then((reply) =>
      settle(streamId, token, readVerdict(replyOf(reply))),
    );
  }

  /** The lease of a call that names none: the generation that this instance acquired, else the one that is there. */
  async function leaseOf(streamId: string): Promise<ResumableStreamLease | undefined> {
    const known = acquired.get(streamId);
    if (known !== undefined) return { token: known };
    const inspection = await look(streamId);
    return typeof inspection === "string" ? undefined : { token: inspection.record.generation };
  }

  async function end(
    streamId: string,
    lease: ResumableStreamLease,
    storedEnd: StoredEnd,
    lastSeq: number | undefined,
  ): Promise<{ readonly verdict: AppendVerdict; readonly changed: boolean }> {
    assertStreamId(streamId);
    const { status, error } = storedEnd;
    const args = [lease.token, status, error?.code ?? "", error?.message ?? "", String(lastSeq ?? "")];
    const reply = await run(endScript, [keys.meta(streamId)], args);
    return {
      verdict: settle(streamId, lease.token, readVerdict(reply)),
      changed: reply[0] === RESULT.ok && reply[2] === 1,
    };
  }

  /** Watches a lapsed stream that nobody here follows, until somebody may say what it is. */
  function attend(streamId: string): void {
    if (tails.has(streamId)) return;
    let taken: TakenTail | undefined;
    const done = (): number => {
      const inspection = taken?.tail.inspection;
      if (typeof inspection !== "object" || inspection.record.status !== "streaming") taken?.giveBack();
      return Infinity;
    };
    tails.take(streamId, done, undefined).then(
      (tail) => {
        taken = tail;
        done();
      },
      () => {},
    );
  }

  const followSource = { inspect: lookAndCondemn, takeTail: tails.take, readPage };
  const follow = (streamId: string, cursor: string, signal: AbortSignal): AsyncIterable<FollowItem> =>
    new StreamFollow(followSource, streamId, cursor, [signal, closing.signal]);

  const store: RedisResumableStreamStore = {
    limits,
    open,

    async acquireLease(streamId, acquireOptions) {
      const opening = await open(streamId, { ...acquireOptions, owner: null, protocol: null });
      return opening.role === "producer" ? { role: "producer", lease: opening.lease } : { role: "consumer" };
    },

    async acquire(streamId, acquireOptions) {
      return (await store.acquireLease(streamId, acquireOptions)).role;
    },

    appendBatch: appendEntries,

    async append(streamId, chunk, lease) {
      assertStreamId(streamId);
      const held = lease ?? (await leaseOf(streamId));
      if (held === undefined) throw notFound(streamId);
      const verdict = await appendEntries(streamId, held, "", [chunk]);
      if (verdict.verdict === "limit") throw limitExceeded(streamId, verdict.limit, limits);
      if (verdict.verdict !== "ok") throw lossError(streamId, verdict);
    },

    async renew(streamId, lease) {
      assertStreamId(streamId);
      const reply = await run(renewScript, [keys.meta(streamId)], [lease.token]);
      return settle(streamId, lease.token, readVerdict(reply));
    },

    async end(streamId, lease, storedEnd, lastSeq) {
      return (await end(streamId, lease, storedEnd, lastSeq)).verdict;
    },

    async finalize(streamId, status, error, lease) {
      assertStreamId(streamId);
      const held = lease ?? (await leaseOf(streamId));
      if (held === undefined) throw notFound(streamId);
      const storedEnd: StoredEnd =
        status === "done"
          ? { status }
          : { status, error: { code: "source-failed", message: error ?? "Stream errored" } };
      const { verdict, changed } = await end(streamId, held, storedEnd, undefined);
      if (verdict.verdict === "deleted" || verdict.verdict === "vanished") throw notFound(streamId);
      return changed;
    },

    async restore(streamId, lease, openOptions) {
      assertStreamId(streamId);
      if (acquired.get(streamId) !== lease.token) return store.renew(streamId, lease);
      const args = [
        lease.token,
        String(openOptions.ttlMs ?? defaultTtlMs),
        String(openOptions.leaseMs ?? ""),
        writeOptional(openOptions.owner),
        writeOptional(openOptions.protocol),
      ];
      return readVerdict(await run(restoreScript, dataKeys(streamId, lease.token), args));
    },

    async stop(streamId) {
      assertStreamId(streamId);
      const inspection = readInspection(await run(stopScript, [keys.meta(streamId)], []));
      return typeof inspection === "string" ? null : inspection.record;
    },

    async inspect(streamId) {
      assertStreamId(streamId);
      const inspection = await lookAndCondemn(streamId);
      if (hasLapsed(inspection)) attend(streamId);
      return typeof inspection === "string" ? null : inspection.record;
    },

    async status(streamId) {
      return (await store.inspect(streamId))?.status ?? "missing";
    },

    async delete(streamId) {
      assertStreamId(streamId);
      acquired.delete(streamId);
      await run(forgetScript, [keys.meta(streamId)], [""]);
    },

    async abandon(streamId, claim) {
      assertStreamId(streamId);
      await run(forgetScript, [keys.meta(streamId)], [claim]);
    },

    async find(thread) {
      const [generation, streamId] =
        (await attempt(() => connection.get(keys.thread(thread))))?.split(" ") ?? [];
      if (streamId === undefined) return null;
      const record = await store.inspect(streamId);
      // The id may have been opened anew, without the key.
      return record !== null && record.generation === generation ? { streamId, record } : null;
    },

    follow,

    read: (streamId, cursor, signal) => readEntries(streamId, follow(streamId, cursor, signal), signal),

    watchLease(streamId, lease, onLost) {
      let stopped = false;
      // Until it is taken it may tell of what was there before this lease.
      let taken: TakenTail | undefined;
      const end = (): void => {
        stopped = true;
        taken?.giveBack();
      };
      let seen: RedisInspection | undefined;
      const check = (): number => {
        look();
        return Infinity;
      };
      const look = (): void => {
        const inspection = taken?.tail.inspection;
        // Signs of life change nothing here.
        if (inspection === undefined || inspection === seen || stopped) return;
        seen = inspection;
        const loss = lossOf(inspection, lease.token);
        if (loss === null) return;
        end();
        onLost(loss);
      };
      const begin = (): void => {
        if (stopped || closing.signal.aborted) return;
        tails.take(streamId, check, lease.token).then(
          (tail) => {
            taken = tail;
            if (stopped) tail.giveBack();
            else check();
          },
          // Redis is away. The producer learns the same from its appends; its watch begins when Redis is back.
          () => unrefTimer(setTimeout(begin, 1_000)),
        );
      };
      begin();
      return end;
    },

    async close() {
      closing.abort();
      tails.close();
    },

    async [Symbol.asyncDispose]() {
      await store.close();
    },
  };
  return store;

  /** Followers who want the same at once share it: what is new, where it was not told. */
  function readPage(streamId: string, record: StreamRecord, seq: number): Promise<readonly EntryPayload[]> {
    const key = keys.data(streamId, record.generation);
    const name = `${key} ${seq}`;
    let page = pages.get(name);
    if (page === undefined) {
      page = range(key, record, seq).finally(() => pages.delete(name));
      pages.set(name, page);
    }
    return page;
  }

  /** Entries from `seq` on, without a gap; none where Redis has lost them. */
  async function range(key: string, record: StreamRecord, seq: number): Promise<readonly EntryPayload[]> {
    const asBytes = record.protocol === null;
    const page = await attempt(() => connection.range(key, `${seq}-0`, PAGE_ENTRIES, asBytes));
    const isWhole = page.firstId === `${seq}-0` && page.lastId === `${seq + page.payloads.length - 1}-0`;
    return isWhole ? page.payloads : [];
  }
}

function lossOf(inspection: RedisInspection, token: string): LeaseLoss | null {
  if (inspection === "deleted" || inspection === "expired") return { verdict: "deleted" };
  // Redis has lost it, and its producer puts it back.
  if (inspection === "absent") return null;
  const { record } = inspection;
  if (record.generation !== token) return record.generation > token ? { verdict: "superseded" } : null;
  const end = storedEndOf(record);
  return end === null ? null : { verdict: "ended", end, lastSeq: record.lastSeq };
}
