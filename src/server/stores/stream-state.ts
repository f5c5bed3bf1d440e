/**
 * The table of (state x event), as pure functions: what each event does to a stream's state, with the clock passed in.
 * `docs/PROTOCOL.md` shows the table. A store applies one of these atomically and keeps the entries; it has no rule of
 * its own.
 *
 * A state that is `null` is a stream that is not there. Expiry and a lapsed lease are events like the others: a store
 * applies {@link expireStream} and {@link condemnProducer} before it looks at a state, and when its clock says so.
 */
import { claimOf, createGeneration } from "../../shared/cursor.ts";
import { publicMessageOf, type ServerErrorCode } from "../error-facts.ts";
import type {
  AppendVerdict,
  LeaseLoss,
  StoredEnd,
  StoredError,
  StreamLimits,
  StreamOpening,
  StreamOpenOptions,
  StreamRecord,
} from "./stream-store.ts";

/** All that a store knows of a stream but its entries. */
export interface StreamState extends StreamRecord {
  /** Bytes of all entries. */
  readonly bytes: number;
  /** Milliseconds from the last sign of life to the expiry. */
  readonly ttlMs: number;
  /** When the stream expires, by the store's clock. */
  readonly expiresAt: number;
  /** Milliseconds of a lease; `null` when it never lapses. */
  readonly leaseMs: number | null;
  /** When the lease lapses, by the store's clock; `null` when it never does, or the stream has ended. */
  readonly leaseUntil: number | null;
}

/** A result, and the state after it. The same reference when nothing changed. */
export interface Transition<TResult> {
  readonly state: StreamState | null;
  readonly result: TResult;
}

/**
 * Elects the producer.
 *
 * @param newest a generation that the new one is to be newer than, where there is no state: a deleted stream had one too.
 */
export function openStream(
  state: StreamState | null,
  options: StreamOpenOptions & { readonly ttlMs: number },
  nowMs: number,
  newest?: string,
): Transition<StreamOpening> {
  const isOwn = isUnbegun(state, options.claim);
  if (state !== null && isOwn && state.status === "streaming") {
    return { state: signOfLife(state, nowMs), result: producerOf(state) };
  }
  if (state !== null && !isOwn && !isTakenOver(state, options)) {
    return { state, result: { role: "consumer", record: recordOf(state) } };
  }
  const opened: StreamState = {
    generation: createGeneration(nowMs, state?.generation ?? newest, options.claim),
    status: "streaming",
    lastSeq: 0,
    owner: options.owner,
    protocol: options.protocol,
    bytes: 0,
    ttlMs: options.ttlMs,
    expiresAt: nowMs + options.ttlMs,
    leaseMs: options.leaseMs ?? null,
    leaseUntil: options.leaseMs === undefined ? null : nowMs + options.leaseMs,
  };
  return { state: opened, result: producerOf(opened) };
}

function producerOf(state: StreamState): StreamOpening {
  return { role: "producer", lease: { token: state.generation }, record: recordOf(state) };
}

/** Whether a claim opened the stream, and nothing was written since, and nobody stopped it: perhaps no one knows of it. */
export function isUnbegun(state: StreamState | null, claim: string | undefined): boolean {
  return (
    state !== null &&
    state.lastSeq === 0 &&
    claimOf(state.generation) === claim &&
    (state.status === "streaming" || isLost(state))
  );
}

function isLost(state: StreamState): boolean {
  return state.status === "error" && state.error?.code === "producer-lost";
}

/** A producer that was lost may be replaced, by the same owner, who asks for it. */
function isTakenOver(state: StreamState, options: StreamOpenOptions): boolean {
  return options.takeover === true && isLost(state) && state.owner === options.owner;
}

/** What an append did: how many of the payloads, from which on, the log took. */
export interface AppendResult {
  readonly verdict: AppendVerdict;
  /** Index of the first payload that the log did not hold yet. */
  readonly from: number;
  /** Index after the last payload that was appended. */
  readonly to: number;
}

/**
 * Appends entries of the given sizes in bytes.
 *
 * @param token the caller's lease; without one, whoever holds the stream.
 */
export function appendEntries(
  state: StreamState | null,
  token: string | undefined,
  firstSeq: number,
  sizes: readonly number[],
  limits: StreamLimits,
  nowMs: number,
): Transition<AppendResult> {
  const loss = leaseLoss(state, token);
  if (state === null || loss !== null) {
    return { state, result: { verdict: loss ?? { verdict: "deleted" }, from: 0, to: 0 } };
  }
  const from = state.lastSeq + 1 - firstSeq;
  if (from < 0) {
    // Entries before the first one are missing: the answer's number asks for them.
    const result: AppendResult = { verdict: { verdict: "ok", lastSeq: state.lastSeq }, from: 0, to: 0 };
    return { state: signOfLife(state, nowMs), result };
  }
  let to = from;
  let bytes = state.bytes;
  let limit: keyof StreamLimits | undefined;
  while (to < sizes.length && limit === undefined) {
    const size = sizes[to] ?? 0;
    if (size > limits.maxChunkBytes) limit = "maxChunkBytes";
    else if (firstSeq + to > limits.maxEntriesPerStream) limit = "maxEntriesPerStream";
    else if (bytes + size > limits.maxStreamBytes) limit = "maxStreamBytes";
    else {
      bytes += size;
      to += 1;
    }
  }
  const lastSeq = firstSeq + to - 1;
  const verdict: AppendVerdict =
    limit === undefined ? { verdict: "ok", lastSeq } : { verdict: "limit", lastSeq, limit };
  return { state: signOfLife({ ...state, lastSeq, bytes }, nowMs), result: { verdict, from, to } };
}

/** Renews the lease and the TTL. */
export function renewLease(
  state: StreamState | null,
  token: string,
  nowMs: number,
): Transition<AppendVerdict> {
  const loss = leaseLoss(state, token);
  if (state === null || loss !== null) return { state, result: loss ?? { verdict: "deleted" } };
  return { state: signOfLife(state, nowMs), result: { verdict: "ok", lastSeq: state.lastSeq } };
}

/** Ends the stream, as its producer, if its log reaches `lastSeq`. */
export function endStream(
  state: StreamState | null,
  token: string | undefined,
  end: StoredEnd,
  lastSeq: number | undefined,
  nowMs: number,
): Transition<AppendVerdict> {
  const loss = leaseLoss(state, token);
  if (state !== null && loss?.verdict === "ended" && isSameEnd(loss.end, end)) {
    return { state, result: { verdict: "ok", lastSeq: state.lastSeq } };
  }
  if (state === null || loss !== null) return { state, result: loss ?? { verdict: "deleted" } };
  const isWhole = lastSeq === undefined || lastSeq <= state.lastSeq;
  return {
    state: isWhole ? ended(state, end, nowMs) : state,
    result: { verdict: "ok", lastSeq: state.lastSeq },
  };
}

/** Ends the stream as `stopped`, whoever produces it. An ended stream stays as it ended. */
export function stopStream(state: StreamState | null, nowMs: number): Transition<StreamRecord | null> {
  if (state === null) return { state, result: null };
  const next = state.status === "streaming" ? ended(state, { status: "stopped" }, nowMs) : state;
  return { state: next, result: recordOf(next) };
}

/** Ends the stream as `producer-lost` where the lease has lapsed. */
export function condemnProducer(state: StreamState | null, nowMs: number): StreamState | null {
  if (state === null || !isLapsed(state, nowMs)) return state;
  return ended(state, { status: "error", error: storedError("producer-lost") }, nowMs);
}

/** Whether the lease has lapsed, by the store's clock, without anybody having said so yet. */
export function isLapsed(state: StreamState, nowMs: number): boolean {
  return state.status === "streaming" && state.leaseUntil !== null && nowMs >= state.leaseUntil;
}

/** The stream is no more once its time is over. */
export function expireStream(state: StreamState | null, nowMs: number): StreamState | null {
  return state !== null && nowMs >= state.expiresAt ? null : state;
}

/** Why a lease gives no right to change a stream; `null` when it does. */
export function leaseLoss(state: StreamState | null, token: string | undefined): LeaseLoss | null {
  if (state === null) return { verdict: "deleted" };
  if (token !== undefined && token < state.generation) return { verdict: "superseded" };
  // What is there is older than the lease: the store came back from before it was given.
  if (token !== undefined && token > state.generation) return { verdict: "vanished" };
  if (state.status === "streaming") return null;
  return { verdict: "ended", end: endOf(state, state.status), lastSeq: state.lastSeq };
}

/** What a record shows of a state. */
export function recordOf(state: StreamState): StreamRecord {
  return {
    generation: state.generation,
    status: state.status,
    ...(state.error ? { error: state.error } : {}),
    lastSeq: state.lastSeq,
    owner: state.owner,
    protocol: state.protocol,
  };
}

/** The end in a record; `null` while it streams. */
export function storedEndOf(record: StreamRecord): StoredEnd | null {
  return record.status === "streaming" ? null : endOf(record, record.status);
}

/** An error of a code, with the text that users may read. */
export function storedError(code: ServerErrorCode): StoredError {
  return { code, message: publicMessageOf(code) };
}

function endOf(record: StreamRecord, status: StoredEnd["status"]): StoredEnd {
  return record.error ? { status, error: record.error } : { status };
}

/** Whether two ends say the same. */
export function isSameEnd(a: StoredEnd, b: StoredEnd): boolean {
  return a.status === b.status && a.error?.code === b.error?.code && a.error?.message === b.error?.message;
}

function signOfLife(state: StreamState, nowMs: number): StreamState {
  return {
    ...state,
    expiresAt: nowMs + state.ttlMs,
    leaseUntil: state.leaseMs === null ? null : nowMs + state.leaseMs,
  };
}

function ended(state: StreamState, end: StoredEnd, nowMs: number): StreamState {
  return {
    ...state,
    status: end.status,
    ...(end.error ? { error: end.error } : {}),
    expiresAt: nowMs + state.ttlMs,
    leaseUntil: null,
  };
}
