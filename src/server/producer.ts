/**
 * The producer: runs a source and writes it to the log.
 *
 * Persist, then deliver: followers read the log, never the source. While an append is in flight the next entries collect
 * and go as one batch. Entries are numbered here, and every answer of the store is the log's last number, so a lost
 * answer, a log that came back shorter and one that came back empty are one case: go on from there. That is why the
 * producer keeps what it wrote until the end, within the store's `maxStreamBytes`.
 *
 * However it ends, the log gets an end, `onFinish` gets the message that followers see, and the promise of
 * {@link Producer.done} resolves; it never rejects.
 */
import { isResumableStreamError, ResumableStreamError } from "../shared/errors.ts";
import type { StreamFold, StreamProtocol } from "../shared/protocols/protocol.ts";
import { publicMessageOf, type ServerErrorCode } from "./error-facts.ts";
import { createEventFraming, type SourceChunk } from "./event-framing.ts";
import { ProducerLog } from "./producer-log.ts";
import { openSource, type MakeSource, type SourceReader } from "./source.ts";
import { outlastAbsence } from "./store-absence.ts";
import { limitExceeded } from "./stores/limits.ts";
import { isSameEnd, storedError } from "./stores/stream-state.ts";
import type {
  AppendVerdict,
  EntryPayload,
  EventStreamStore,
  LeaseLoss,
  ResumableStreamLease,
  StoredEnd,
  StoredError,
  StreamOpenOptions,
} from "./stores/stream-store.ts";
import { delay, unrefTimer } from "./timers.ts";

/** What `onFinish` gets: the answer as followers see it, to save. */
export interface FinishedStream<TMessage> {
  readonly streamId: string;
  readonly message: TMessage;
  readonly status: "done" | "error" | "stopped";
  /** Present when the status is `error`. */
  readonly error?: StoredError;
}

/** What a producer tells whoever observes it. None of these can throw into it. */
export interface ProducerHooks {
  onAppend(byteLength: number): void;
  onFinalize(status: "done" | "error" | "stopped", error?: string): void;
  onError(error: unknown): void;
}

/** Options of {@link startProducer}. */
export interface ProducerOptions<TMessage> {
  readonly store: EventStreamStore;
  readonly streamId: string;
  readonly lease: ResumableStreamLease;
  /** What the stream was opened with: a store that lost it is given it again. */
  readonly open: StreamOpenOptions;
  /** Without a protocol each chunk of the source is an entry of bytes. */
  readonly protocol: StreamProtocol<TMessage> | null;
  readonly makeSource: MakeSource<SourceChunk>;
  readonly hooks: ProducerHooks;
  /** How long a store that is away is retried, in milliseconds, with the source kept running. */
  readonly storeAwayMs: number;
  /** Text of a source's error that users may read; the code's default where it gives none. */
  readonly toPublicError?: ((error: unknown) => string | undefined) | undefined;
  readonly onFinish?: ((finished: FinishedStream<TMessage>) => unknown) | undefined;
}

/** A running producer. */
export interface Producer {
  /** Resolves when the stream has ended and `onFinish` has run. Never rejects. */
  readonly done: Promise<void>;
  /** Fires once the store has been away for too long: followers in this process need not wait for it. */
  readonly storeLoss: AbortSignal;
  /** Whether the source, or the writing of its end, goes on. */
  readonly running: boolean;
  /** Aborts the source; the stream ends with this code. A store that is away is told later, if this process lives. */
  abort(code: ServerErrorCode): void;
}

/** A batch is bounded, so that one append does not hold up a store for others. */
const MAX_BATCH_ENTRIES = 1_000;
const MAX_BATCH_BYTES = 256 * 1024;
/** A source that is faster than the store waits when this much is under way. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;
/** Entries that are folded before others get a turn. */
const FOLD_SLICE = 1_000;
/** How long a producer that gave up goes on trying to say so. */
const SAY_END_FOR_MS = 10 * 60_000;

/** A fold of the first entries. */
interface Folded<TMessage> {
  readonly lastSeq: number;
  readonly fold: Promise<StreamFold<TMessage>>;
}

/** Starts the source, and writes it until its end. */
export function startProducer<TMessage>(options: ProducerOptions<TMessage>): Producer {
  return new StreamProducer(options);
}

class StreamProducer<TMessage> implements Producer {
  readonly done: Promise<void>;
  running = true;

  readonly #options: ProducerOptions<TMessage>;
  readonly #source = new AbortController();
  readonly #storeLoss = new AbortController();
  readonly #log = new ProducerLog();
  #unwrittenBytes = 0;
  /** Last number of the store's log. */
  #written = 0;
  #reported = 0;
  /** The fold of the whole answer, once the source has ended. */
  #whole: Folded<TMessage> | undefined;
  /** The end that the producer itself has found, before the lease is asked. */
  #ownEnd: StoredEnd | undefined;
  /** Ends that were sent to the store; their answers may be lost. */
  readonly #sentEnds = new Set<StoredEnd>();
  #loss: LeaseLoss | undefined;
  #storeIsAway = false;
  /** How long a store that is away is retried. */
  #patienceMs: number;
  #hasGivenUp = false;
  /** Set when the process is to end: a store that is away is waited for no longer. */
  #isHurried = false;
  /** Why the store cannot be written any more, found while nothing was written. */
  #storeError: { readonly error: unknown } | undefined;
  #lastContactMs: number;
  /** Called on the next change, by who writes and by who reads the source. */
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;

  constructor(options: ProducerOptions<TMessage>) {
    this.#options = options;
    this.#patienceMs = options.storeAwayMs;
    this.#lastContactMs = performance.now();
    this.done = this.#run();
  }

  get storeLoss(): AbortSignal {
    return this.#storeLoss.signal;
  }

  abort(code: ServerErrorCode): void {
    this.#isHurried = true;
    this.#finishSource({ status: "error", error: storedError(code) });
  }

  async #run(): Promise<void> {
    const { store, streamId, lease } = this.#options;
    const unwatch = store.watchLease(streamId, lease, (loss) => this.#lose(loss));
    const renewal = this.#startRenewals();
    try {
      // Not awaited: a source that hangs, or is slow to let go, must not hold up an end that is known.
      void this.#readSource();
      await this.#writeLog();
      await this.#writeEnd();
    } catch (error) {
      this.#options.hooks.onError(error);
      await this.#giveUp(error);
    } finally {
      clearInterval(renewal);
      unwatch();
      this.running = false;
    }
    try {
      await this.#report();
    } catch (error) {
      // A protocol that breaks its law, and throws, must not take the process with it.
      this.#options.hooks.onError(error);
    }
  }

  // Source → log.

  async #readSource(): Promise<void> {
    const { store, streamId, protocol, makeSource, hooks } = this.#options;
    const { signal } = this.#source;
    const framing =
      protocol === null
        ? null
        : createEventFraming({
            maxChunkBytes: store.limits.maxChunkBytes,
            endMarker: protocol.endMarker,
            onPayload: (payload, bytes) => this.#enqueue(payload, bytes),
          });
    let reader: SourceReader | undefined;
    try {
      reader = openSource(await makeSource({ signal, streamId }));
      const cancel = (): void => void reader?.cancel(signal.reason).catch(() => {});
      if (signal.aborted) return cancel();
      signal.addEventListener("abort", cancel, { once: true });
      while (!signal.aborted) {
        const result = await reader.read();
        if (signal.aborted) return;
        if (result.done) break;
        if (framing === null) {
          const chunk = bytesOf(result.value);
          this.#enqueue(chunk, chunk.byteLength);
        } else framing.push(eventChunkOf(result.value));
        if (this.#isCrowded()) await this.#until(() => !this.#isCrowded());
      }
      if (signal.aborted) return;
      await this.#until(() => this.#written === this.#log.lastSeq);
      if (signal.aborted) return;
      const complete = protocol === null || framing?.sawEndMarker() || (await this.#isComplete(protocol));
      this.#finishSource(
        complete ? { status: "done" } : { status: "error", error: storedError("source-incomplete") },
      );
    } catch (error) {
      if (signal.aborted) return;
      hooks.onError(error);
      this.#finishSource({ status: "error", error: this.#publicError(error) });
    }
  }

  /** The source has nothing more to say: what was read is written, then the end. */
  #finishSource(end: StoredEnd): void {
    if (this.#ownEnd !== undefined || this.#loss !== undefined) return;
    this.#ownEnd = end;
    if (end.status !== "done") this.#source.abort(endReason(this.#options.streamId, end));
    this.#notify();
  }

  #enqueue(payload: EntryPayload, size: number): void {
    const { limits } = this.#options.store;
    // The store has the last word on its limits; this one bounds what is kept here.
    if (this.#log.bytes + size > limits.maxStreamBytes) {
      throw limitExceeded(this.#options.streamId, "maxStreamBytes", limits);
    }
    this.#log.push(payload, size);
    this.#unwrittenBytes += size;
    this.#notify();
  }

  /** Whether the source waits for the store, which is slower; one that is away does not stop the source. */
  #isCrowded(): boolean {
    return this.#unwrittenBytes > MAX_UNWRITTEN_BYTES && !this.#storeIsAway;
  }

  // Log → store.

  /** Resolves when the source has ended and all of it is written, or there is nothing more to write to. */
  #writeLog(): Promise<void> {
    return new Promise((resolve, reject) => {
      // No `async` loop: what one allocates for each event is a large part of what an event costs.
      const step = (): void => {
        if (this.#storeError !== undefined) reject(this.#storeError.error);
        else if (this.#loss !== undefined) resolve();
        else if (this.#written < this.#log.lastSeq) this.#writeBatch().then(accept).catch(reject);
        else if (this.#ownEnd !== undefined) resolve();
        else this.#wakeWriter = step;
      };
      const accept = (verdict: AppendVerdict | undefined): Promise<void> | undefined => {
        if (verdict?.verdict === "ok") {
          this.#advance(verdict.lastSeq);
          step();
          return undefined;
        }
        if (verdict !== undefined) return this.#accept(verdict).then((more) => (more ? step() : resolve()));
        resolve();
        return undefined;
      };
      step();
    });
  }

  #writeBatch(): Promise<AppendVerdict | undefined> {
    const { store, streamId, lease } = this.#options;
    const first = this.#written + 1;
    const batch = this.#log.entries(first, this.#batchEnd());
    return this.#insist(() => store.appendBatch(streamId, lease, first, batch));
  }

  #batchEnd(): number {
    let bytes = 0;
    let seq = this.#written;
    while (seq < this.#log.lastSeq && seq - this.#written < MAX_BATCH_ENTRIES) {
      bytes += this.#log.sizeOf(seq + 1);
      if (bytes > MAX_BATCH_BYTES && seq > this.#written) break;
      seq += 1;
    }
    return seq;
  }

  /** Takes the store's answer to an append or a renewal; false when there is nothing more to write. */
  async #accept(verdict: AppendVerdict): Promise<boolean> {
    const { store, streamId, lease, open } = this.#options;
    if (verdict.verdict === "vanished") {
      const restored = await this.#insist(() => store.restore(streamId, lease, open));
      return restored !== undefined && this.#accept(restored);
    }
    if (verdict.verdict !== "ok" && verdict.verdict !== "limit") {
      this.#lose(verdict);
      return false;
    }
    this.#advance(verdict.lastSeq);
    if (verdict.verdict === "ok") return true;
    this.#dropUnwritten();
    this.#options.hooks.onError(limitExceeded(streamId, verdict.limit, store.limits));
    this.#finishSource({ status: "error", error: storedError("limit-exceeded") });
    return false;
  }

  /** The store's log ends at `lastSeq`: further than before, or, after a loss, less far. */
  #advance(lastSeq: number): void {
    const to = Math.min(lastSeq, this.#log.lastSeq);
    for (let seq = this.#written + 1; seq <= to; seq += 1) this.#unwrittenBytes -= this.#log.sizeOf(seq);
    for (let seq = to + 1; seq <= this.#written; seq += 1) this.#unwrittenBytes += this.#log.sizeOf(seq);
    this.#written = to;
    while (this.#reported < to) {
      this.#reported += 1;
      this.#options.hooks.onAppend(this.#log.sizeOf(this.#reported));
      // Where the log has no bound, nothing is ever sent again, and nothing need be kept for it.
      if (this.#options.store.limits.maxStreamBytes === Infinity) this.#log.forget(this.#reported);
    }
    this.#log.pack(this.#reported);
    this.#notify();
  }

  /** Drops what the store never had; what it had and lost is written again. */
  #dropUnwritten(): void {
    for (let seq = this.#reported + 1; seq <= this.#log.lastSeq; seq += 1)
      this.#unwrittenBytes -= this.#log.sizeOf(seq);
    this.#log.truncate(this.#reported);
  }

  async #writeEnd(): Promise<void> {
    const { store, streamId, lease } = this.#options;
    while (this.#ownEnd !== undefined && this.#loss === undefined) {
      const end = this.#ownEnd;
      this.#sentEnds.add(end);
      const verdict = await this.#insist(() => store.end(streamId, lease, end, this.#log.lastSeq));
      if (verdict === undefined) return;
      if (verdict.verdict === "ok" && verdict.lastSeq >= this.#log.lastSeq) return;
      if (!(await this.#accept(verdict))) return;
      // The store had lost entries, and has them again before its end.
      await this.#writeLog();
    }
  }

  // The store.

  /** Repeats a call while the store is away, as long as the patience lasts; `undefined` once the lease is lost. */
  #insist(
    call: () => Promise<AppendVerdict>,
    isWanted: () => boolean = always,
  ): Promise<AppendVerdict | undefined> {
    if (this.#loss !== undefined) return Promise.resolve(undefined);
    try {
      return call().then(this.#reach, (error: unknown) => this.#insistAgain(call, error, isWanted));
    } catch (error) {
      return this.#insistAgain(call, error, isWanted);
    }
  }

  readonly #reach = (verdict: AppendVerdict): AppendVerdict => {
    this.#lastContactMs = performance.now();
    this.#setAway(false);
    return verdict;
  };

  async #insistAgain(
    call: () => Promise<AppendVerdict>,
    firstError: unknown,
    isWanted: () => boolean,
  ): Promise<AppendVerdict | undefined> {
    try {
      const verdict = await outlastAbsence(call, firstError, this.#patienceMs, async (ms) => {
        this.#setAway(true);
        await delay(ms, this.#source.signal);
        if (this.#isHurried && !this.#hasGivenUp) return false;
        return this.#loss === undefined && isWanted();
      });
      return this.#reach(verdict);
    } catch (error) {
      if (this.#loss !== undefined) return undefined;
      throw error;
    }
  }

  #setAway(away: boolean): void {
    if (this.#storeIsAway === away) return;
    this.#storeIsAway = away;
    this.#notify();
  }

  /** Renews the lease every third of it, also while the model is silent; appends renew it too. */
  #startRenewals(): ReturnType<typeof setInterval> | undefined {
    const { store, streamId, lease, open } = this.#options;
    if (open.leaseMs === undefined) return undefined;
    const everyMs = open.leaseMs / 3;
    let renewing = false;
    const timer = setInterval(async () => {
      if (renewing || this.#loss !== undefined || performance.now() - this.#lastContactMs < everyMs * 0.9)
        return;
      renewing = true;
      try {
        const renew = (): Promise<AppendVerdict> => store.renew(streamId, lease);
        const verdict = await this.#insist(renew, () => !this.#hasGivenUp);
        // A log that came back shorter shows in the number, and what is missing is written at once.
        if (verdict !== undefined) await this.#accept(verdict);
      } catch (error) {
        if (this.#hasGivenUp) return;
        this.#storeError ??= { error };
        this.#notify();
      } finally {
        renewing = false;
      }
    }, everyMs);
    unrefTimer(timer);
    return timer;
  }

  /** The store is away for too long, or broken: the stream ends here, and there as soon as somebody can say so. */
  async #giveUp(error: unknown): Promise<void> {
    const { streamId } = this.#options;
    const away = isResumableStreamError(error, "store-unavailable");
    const end: StoredEnd = {
      status: "error",
      error: away ? storedError("store-unavailable") : this.#publicError(error),
    };
    this.#ownEnd = end;
    this.#source.abort(endReason(streamId, end));
    this.#hasGivenUp = true;
    this.#storeError = undefined;
    // Where the store comes back without what was written, that is written again, and then the end.
    this.#dropUnwritten();
    this.#notify();
    if (away) this.#storeLoss.abort();
    if (await this.#sayEnd(0)) return;
    // Nobody waits for this: it goes on by itself until the store is there again, or others have said it.
    void this.#sayEnd(SAY_END_FOR_MS);
  }

  /** Writes the end; false where the store stayed away. */
  async #sayEnd(patienceMs: number): Promise<boolean> {
    this.#patienceMs = patienceMs;
    try {
      await this.#writeEnd();
      return true;
    } catch (error) {
      if (isResumableStreamError(error, "store-unavailable")) return false;
      this.#options.hooks.onError(error);
      return true;
    }
  }

  // The end.

  #lose(loss: LeaseLoss): void {
    if (this.#loss !== undefined) return;
    if (loss.verdict === "ended") {
      // An end that this producer wrote comes back as a loss of the lease; one whose answer was lost, as what it is.
      const own = [this.#ownEnd, ...this.#sentEnds].find((end) => end && isSameEnd(loss.end, end));
      if (own !== undefined) {
        this.#ownEnd = own;
        return;
      }
    }
    this.#loss = loss;
    this.#source.abort(lossReason(this.#options.streamId, loss));
    this.#notify();
  }

  async #report(): Promise<void> {
    const { streamId, protocol, hooks, onFinish } = this.#options;
    const end = this.#finalEnd();
    if (end === null) return hooks.onError(lossReason(streamId, this.#loss ?? { verdict: "deleted" }));
    hooks.onFinalize(end.status, end.error?.message);
    if (protocol === null || onFinish === undefined) return;
    // A stop may have come while an append's answer was under way: the message is that of what the log holds.
    const lastSeq = this.#loss?.verdict === "ended" ? this.#loss.lastSeq : this.#log.lastSeq;
    const fold = await this.#foldOf(protocol, Math.min(lastSeq, this.#log.lastSeq));
    fold.end(end);
    try {
      await onFinish({
        streamId,
        message: fold.view(),
        status: end.status,
        ...(end.error === undefined ? {} : { error: end.error }),
      });
    } catch (error) {
      hooks.onError(error);
    }
  }

  /** How the stream ended, if it was this producer's to the end: by itself, or by a stop. */
  #finalEnd(): StoredEnd | null {
    const loss = this.#loss;
    if (loss === undefined) return this.#ownEnd ?? null;
    return loss.verdict === "ended" && loss.end.status === "stopped" ? loss.end : null;
  }

  /** Whether the answer ends as its protocol says. */
  async #isComplete(protocol: StreamProtocol<TMessage>): Promise<boolean> {
    const { lastSeq } = this.#log;
    this.#whole = { lastSeq, fold: this.#foldOf(protocol, lastSeq) };
    return protocol.isComplete(await this.#whole.fold);
  }

  /**
   * The fold of the first entries. It is made when it is needed, and in slices: while events come it would only be in their
   * way, and in that of other streams.
   */
  async #foldOf(protocol: StreamProtocol<TMessage>, lastSeq: number): Promise<StreamFold<TMessage>> {
    if (this.#whole?.lastSeq === lastSeq) return this.#whole.fold;
    const fold = protocol.fold();
    for (let seq = 1; seq <= lastSeq; seq += FOLD_SLICE) {
      if (seq > 1) await new Promise((resolve) => setTimeout(resolve));
      for (const payload of this.#log.entries(seq, Math.min(seq + FOLD_SLICE - 1, lastSeq)))
        if (typeof payload === "string") fold.apply(payload);
    }
    return fold;
  }

  #publicError(error: unknown): StoredError {
    const code = isResumableStreamError(error, "limit-exceeded") ? "limit-exceeded" : "source-failed";
    // A stream of bytes is read by the app's own server, which is told what happened.
    if (this.#options.protocol === null)
      return { code, message: error instanceof Error ? error.message : String(error) };
    try {
      return { code, message: this.#options.toPublicError?.(error) ?? publicMessageOf(code) };
    } catch (hookError) {
      this.#options.hooks.onError(hookError);
      return storedError(code);
    }
  }

  // Waiting.

  #notify(): void {
    const wakeWriter = this.#wakeWriter;
    const wakeReader = this.#wakeReader;
    this.#wakeWriter = this.#wakeReader = undefined;
    wakeWriter?.();
    wakeReader?.();
  }

  /** For who reads the source. */
  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && this.#loss === undefined && !this.#source.signal.aborted)
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
  }
}

function always(): boolean {
  return true;
}

/** What a signal is aborted with: an `AbortError`, as `fetch` knows it, that names the stream. */
function endReason(streamId: string, end: StoredEnd): DOMException {
  return new DOMException(
    `The stream has ended (${end.error?.code ?? end.status}): ${streamId}`,
    "AbortError",
  );
}

function lossReason(streamId: string, loss: LeaseLoss): Error {
  switch (loss.verdict) {
    case "ended":
      return endReason(streamId, loss.end);
    case "superseded":
      return new ResumableStreamError("missing", `Stream superseded by a new acquisition: ${streamId}`);
    case "deleted":
      return new ResumableStreamError("deleted", `Stream deleted while it was produced: ${streamId}`);
    case "vanished":
      return new ResumableStreamError("store-unavailable", `The store has lost the stream: ${streamId}`);
  }
}

/** A source may use its buffer again, so its bytes are copied. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value === "string") return new TextEncoder().encode(value);
  throw new ResumableStreamError(
    "source-failed",
    `A source of bytes yielded a ${typeof value}; give \`protocol\` for events.`,
  );
}

function eventChunkOf(value: unknown): SourceChunk {
  if (typeof value === "string" || (typeof value === "object" && value !== null)) return value;
  throw new ResumableStreamError(
    "source-failed",
    `A source of events yielded a ${typeof value}; yield SSE or objects.`,
  );
}
