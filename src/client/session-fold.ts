/**
 * The message of one stream as this client knows it: the fold, and the cursor that belongs to it. Together they are the
 * checkpoint, so nothing else may hold either. Each event changes it at most once.
 */
import { formatCursor, parseCursor, type Position } from "../shared/cursor.ts";
import type { JsonValue } from "../shared/json/json-value.ts";
import type { StreamFold, StreamProtocol } from "../shared/protocols/protocol.ts";
import type { SseEvent } from "../shared/sse.ts";
import { CONTROL_EVENT, DEFAULT_HEARTBEAT_MS, type StreamEnd } from "../shared/wire.ts";
import { isRecord, readStreamEnd, type Checkpoint } from "./checkpoints/checkpoint.ts";

/** What an event meant. */
export type FoldResult =
  /** An entry that was new. */
  | { readonly type: "entry"; readonly payload: string; readonly position: Position }
  /** The state was replaced, by a snapshot, or by nothing, which is no progress. */
  | { readonly type: "replaced"; readonly progressed: boolean }
  | { readonly type: "live"; readonly heartbeatMs: number }
  | { readonly type: "end"; readonly end: StreamEnd }
  /** Known already, or not for us. */
  | { readonly type: "nothing" }
  /** It cannot follow what is known: something is missing before it. */
  | { readonly type: "gap" };

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

/** Makes a fold, or takes up the one of a checkpoint. A snapshot that the protocol cannot read throws. */
export function createSessionFold<TMessage>(
  protocol: StreamProtocol<TMessage>,
  checkpoint: Pick<Checkpoint, "cursor" | "snapshot" | "end"> | null,
): SessionFold<TMessage> {
  let position = checkpoint === null ? null : parseCursor(checkpoint.cursor);
  let fold = position === null || checkpoint === null ? protocol.fold() : protocol.fold(checkpoint.snapshot);
  /** The message as it ended, where the end may be taken back: `fold` itself must not know of it then. */
  let endedFold: StreamFold<TMessage> | undefined;

  const self: SessionFold<TMessage> = {
    take(event) {
      switch (event.event) {
        case undefined:
          return takeEntry(event);
        case CONTROL_EVENT.reset:
          return replace(event.id, undefined);
        case CONTROL_EVENT.snapshot:
          return takeSnapshot(event);
        case CONTROL_EVENT.live: {
          const { heartbeatMs } = dataOf(event);
          const isInterval = typeof heartbeatMs === "number" && heartbeatMs > 0;
          if (!isHere(event.id)) return { type: "gap" };
          return { type: "live", heartbeatMs: isInterval ? heartbeatMs : DEFAULT_HEARTBEAT_MS };
        }
        case CONTROL_EVENT.end: {
          const end = readStreamEnd(dataOf(event));
          return end === null || !isHere(event.id) ? { type: "gap" } : { type: "end", end };
        }
        default:
          return { type: "nothing" };
      }
    },
    end(end) {
      if (end.status === "done" || end.status === "stopped") return fold.end(end);
      endedFold = protocol.fold(fold.snapshot());
      endedFold.end(end);
    },
    reopen() {
      endedFold = undefined;
    },
    view() {
      return position === null ? undefined : (endedFold ?? fold).view();
    },
    cursor: () => (position === null ? "" : formatCursor(position.generation, position.seq)),
    snapshot: () => (position === null ? null : fold.snapshot()),
  };
  if (checkpoint?.end !== undefined) self.end(checkpoint.end);
  return self;

  function takeEntry(event: SseEvent): FoldResult {
    const next = event.id === undefined ? null : parseCursor(event.id);
    if (next === null) return { type: "gap" };
    const isSame = position === null || position.generation === next.generation;
    const expected = isSame ? (position?.seq ?? 0) + 1 : 1;
    if (isSame && next.seq < expected) return { type: "nothing" };
    if (next.seq !== expected) return { type: "gap" };
    // The start of another generation is as good as a reset.
    if (!isSame) replace(event.id, undefined);
    endedFold = undefined;
    fold.apply(event.data);
    position = next;
    return { type: "entry", payload: event.data, position };
  }

  /**
   * Whether a control event belongs to what is known here: nothing is missing before its position. The start of another
   * generation, or the first one that is heard of, is a place to begin.
   */
  function isHere(id: string | undefined): boolean {
    const next = id === undefined ? null : parseCursor(id);
    if (next === null) return true;
    if (next.generation === position?.generation) return next.seq <= position.seq;
    return next.seq === 0 && replace(id, undefined).type === "replaced";
  }

  function takeSnapshot(event: SseEvent): FoldResult {
    const data = dataOf(event);
    if (data["protocol"] !== protocol.name || data["version"] !== protocol.version) return { type: "gap" };
    const next = event.id === undefined ? null : parseCursor(event.id);
    // One that is behind what is known here brings nothing.
    if (next !== null && position?.generation === next.generation && next.seq <= position.seq)
      return { type: "nothing" };
    return replace(event.id, data["snapshot"]);
  }

  function replace(id: string | undefined, snapshot: unknown): FoldResult {
    const next = id === undefined ? null : parseCursor(id);
    if (next === null) return { type: "gap" };
    try {
      fold = isJson(snapshot) ? protocol.fold(snapshot) : protocol.fold();
    } catch {
      return { type: "gap" };
    }
    endedFold = undefined;
    position = next;
    return { type: "replaced", progressed: snapshot !== undefined };
  }
}

function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}

function dataOf(event: SseEvent): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(event.data);
    return isRecord(data) ? data : {};
  } catch {
    return {};
  }
}
