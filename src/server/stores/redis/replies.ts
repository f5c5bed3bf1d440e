/** Reads the replies of scripts. What is not as it should be throws: then another program writes below our prefix. */
import { isStreamErrorCode, ResumableStreamError } from "../../../shared/errors.ts";
import type { AppendVerdict, StoredEnd, StreamLimits, StreamRecord } from "../stream-store.ts";
import type { RedisPage } from "./redis-connection.ts";
import { RESULT } from "./result-codes.ts";

/** A stream's state, with its times by Redis' clock. */
export interface RedisState {
  readonly record: StreamRecord;
  /** When the lease lapses; `null` when it never does. */
  readonly leaseUntil: number | null;
  /** Milliseconds of a lease; `null` when it never lapses. */
  readonly leaseMs: number | null;
  readonly expiresAt: number;
  /** Milliseconds from the last sign of life to the expiry. */
  readonly ttlMs: number;
  /** Redis' clock when it said so. */
  readonly now: number;
}

/** What is where a stream should be. */
export type RedisInspection = RedisState | "deleted" | "expired" | "absent";

/** The elements of a script's reply, the first of them its result code. */
export type RedisReply = readonly (string | number)[];

/** Reads any script's reply. */
export function replyOf(reply: unknown): RedisReply {
  if (Array.isArray(reply))
    return reply.map((element) => (typeof element === "number" ? element : String(element)));
  throw new ResumableStreamError(
    "store-unavailable",
    "Redis gave a reply that is not one of rejoin's scripts.",
  );
}

/** Reads the reply of `rangeFromMaster`: two entry ids, then payloads, as text or as bytes. */
export function pageOf(reply: unknown): RedisPage {
  const [firstId, lastId, ...payloads]: readonly unknown[] = Array.isArray(reply) ? reply : [];
  return {
    firstId: firstId === undefined ? undefined : String(firstId),
    lastId: lastId === undefined ? undefined : String(lastId),
    payloads: payloads.map((payload) => (payload instanceof Uint8Array ? payload : String(payload))),
  };
}

/** Reads `{ code, record… }`. */
export function readState(reply: RedisReply): RedisState {
  const [, generation, status, code, message, last, owner, protocol, until, expiresAt, now, lease, ttl] =
    reply.map(String);
  const known = (["streaming", "done", "error", "stopped"] as const).find((name) => name === status);
  if (known === undefined || generation === undefined) {
    throw new ResumableStreamError(
      "store-unavailable",
      "A key of rejoin's holds something else: use another keyPrefix.",
    );
  }
  return {
    record: {
      generation,
      status: known,
      ...(isStreamErrorCode(code) ? { error: { code, message: message ?? "" } } : {}),
      lastSeq: Number(last),
      owner: optional(owner),
      protocol: optional(protocol),
    },
    leaseUntil: until ? Number(until) : null,
    leaseMs: lease ? Number(lease) : null,
    expiresAt: Number(expiresAt),
    ttlMs: Number(ttl),
    now: Number(now),
  };
}

/** Reads the reply of `inspect` and `stop`. */
export function readInspection(reply: RedisReply): RedisInspection {
  if (reply[0] === RESULT.absent) return "absent";
  if (reply[0] === RESULT.gone) return reply[1] === "expired" ? "expired" : "deleted";
  return readState(reply);
}

/** Reads the reply of a script that needs a lease. */
export function readVerdict(reply: RedisReply): AppendVerdict {
  const [code, second, third, fourth, fifth] = reply;
  switch (code) {
    case RESULT.ok:
      return { verdict: "ok", lastSeq: Number(second) };
    case RESULT.limit:
      return { verdict: "limit", lastSeq: Number(second), limit: limitOf(third) };
    case RESULT.superseded:
      return { verdict: "superseded" };
    case RESULT.ended:
      return {
        verdict: "ended",
        end: endOf(String(third), String(fourth), String(fifth)),
        lastSeq: Number(second),
      };
    case RESULT.absent:
      return { verdict: "vanished" };
    default:
      return { verdict: "deleted" };
  }
}

/** Owner and protocol may be null, or any text. */
export function writeOptional(value: string | null): string {
  return value === null ? "-" : `=${value}`;
}

function optional(value: string | undefined): string | null {
  return value === undefined || value === "-" ? null : value.slice(1);
}

function limitOf(name: unknown): keyof StreamLimits {
  return name === "maxChunkBytes" || name === "maxEntriesPerStream" ? name : "maxStreamBytes";
}

function endOf(status: string, code: string, message: string): StoredEnd {
  const known = (["done", "error", "stopped"] as const).find((name) => name === status) ?? "error";
  return isStreamErrorCode(code) ? { status: known, error: { code, message } } : { status: known };
}

/** Whether the lease had lapsed, by Redis' clock, when it said so. */
export function hasLapsed(
  inspection: RedisInspection,
): inspection is RedisState & { readonly leaseUntil: number } {
  if (typeof inspection === "string" || inspection.record.status !== "streaming") return false;
  return inspection.leaseUntil !== null && inspection.now >= inspection.leaseUntil;
}
