/**
 * The message of one stream as this client knows it: the fold, and the cursor that belongs to it. Together they are the
 * checkpoint, so nothing else may hold either. Each event changes it at most once.
 */
import { formatCursor, parseCursor, type Position } from "../shared/cursor.ts";
import { isObject, parseJson, type JsonValue } from "../shared/json/json-value.ts";
import type { StreamProtocol } from "../shared/protocols/protocol.ts";
import type { SseEvent } from "../shared/sse.ts";
import {
  DEFAULT_HEARTBEAT_MS,
  END_EVENT,
  LIVE_EVENT,
  RESET_EVENT,
  SNAPSHOT_EVENT,
  type StreamEnd,
} from "../shared/wire.ts";
import { callSafely } from "./call-safely.ts";
import { readStreamEnd, type Checkpoint } from "./checkpoints/checkpoint.ts";
import type { ConnectionEvent } from "./connection.ts";

/** A server that beats less often is taken for one that does so once an hour: timers keep no longer delays. */
const MAX_HEARTBEAT_MS = 60 * 60_000;

/** What an event meant. */
export interface FoldResult {
  /** For the connection; `undefined` where it was known already, or is not for us. */
  readonly meaning?: ConnectionEvent;
  /** Where an entry is that was new. */
  readonly position?: Position;
}

/** The fold and its cursor. */
export interface SessionFold<TMessage> {
  /** Takes an event of a response. */
  take(event: SseEvent): FoldResult;
  /** Takes the stream's end, or one that this client had to assume. */
  end(end: StreamEnd): void;
  /** Takes back an end, because the stream is asked for again. */
  reopen(): void;
  /** The message; `undefined` while nothing is known. */
  view(): TMessage | undefined;
  cursor(): string;
  /** What a checkpoint needs. */
  snapshot(): JsonValue;
}

/** It cannot follow what is known: something is missing before it. */
const GAP: FoldResult = { meaning: { type: "gap" } };
const PROGRESS: ConnectionEvent = { type: "progress" };

/** Makes a fold, or takes up the one of a checkpoint. A snapshot that the protocol cannot read throws. */
export function createSessionFold<TMessage>(
  protocol: StreamProtocol<TMessage>,
  checkpoint?: Pick<Checkpoint, "cursor" | "snapshot" | "end">,
): SessionFold<TMessage> {
  let position = parseCursor(checkpoint?.cursor ?? "");
  let fold = protocol.fold(position === null ? undefined : checkpoint?.snapshot);
  /** The fold as it was before an end that may be taken back. */
  let unended: JsonValue | undefined;
  if (checkpoint?.end !== undefined) end(checkpoint.end);

  return {
    end,
    take(event) {
      const next = parseCursor(event.id ?? "");
      const isSame = next !== null && next.generation === position?.generation;
      /** The last entry that is known of the event's generation. */
      const known = isSame ? (position?.seq ?? 0) : 0;
      if (event.event === undefined) {
        if (next === null || next.seq > known + 1) return GAP;
        if (next.seq <= known) return {};
        // The start of another generation is as good as a reset.
        if (!isSame) replace(next);
        void callSafely(() => fold.apply(event.data));
        position = next;
        return { meaning: PROGRESS, position };
      }
      const value = parseJson(event.data);
      const data = isObject(value) ? value : {};
      switch (event.event) {
        case RESET_EVENT:
          return replace(next);
        case SNAPSHOT_EVENT:
          if (data["protocol"] !== protocol.name || data["version"] !== protocol.version) return GAP;
          // One that is behind what is known here brings nothing.
          return isSame && next.seq <= known ? {} : replace(next, data["snapshot"]);
        case LIVE_EVENT:
        case END_EVENT: {
          if (next !== null && next.seq > known) return GAP;
          if (next !== null && !isSame) replace(next);
          if (event.event === LIVE_EVENT)
            return { meaning: { type: "live", heartbeatMs: readInterval(data["heartbeatMs"]) } };
          const told = readStreamEnd(data);
          return told === undefined ? GAP : { meaning: { type: "end", end: told } };
        }
        default:
          return {};
      }
    },
    reopen() {
      if (unended !== undefined) fold = protocol.fold(unended);
      unended = undefined;
    },
    view: () => (position === null ? undefined : fold.view()),
    cursor: () => (position === null ? "" : formatCursor(position.generation, position.seq)),
    snapshot: () => unended ?? fold.snapshot(),
  };

  function end(how: StreamEnd): void {
    if (how.status === "error" || how.status === "missing") unended ??= fold.snapshot();
    fold.end(how);
  }

  function replace(next: Position | null, snapshot?: JsonValue): FoldResult {
    if (next === null) return GAP;
    try {
      fold = protocol.fold(snapshot);
    } catch {
      return GAP;
    }
    unended = undefined;
    position = next;
    // To begin anew is no progress.
    return snapshot === undefined ? {} : { meaning: PROGRESS };
  }
}

function readInterval(ms: unknown): number {
  return typeof ms === "number" && ms > 0 ? Math.min(ms, MAX_HEARTBEAT_MS) : DEFAULT_HEARTBEAT_MS;
}
