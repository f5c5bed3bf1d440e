/**
 * The names and shapes of the wire, each once. `docs/PROTOCOL.md` is the authority on what they mean.
 */
import type { StreamErrorCode } from "./errors.ts";
import type { JsonValue } from "./json/json-value.ts";

/** Carries the stream id: of a POST that starts a stream, and of every response that follows one. */
export const STREAM_ID_HEADER = "x-resumable-stream-id";

/** On a request that starts a stream: `1` asks for control events in the response. */
export const CONTROL_HEADER = "x-rejoin-control";

/** On a GET that follows: `control=1` asks for control events. */
export const CONTROL_PARAM = "control";

/** On a GET that follows: the position, where no `Last-Event-ID` header gives one. */
export const CURSOR_PARAM = "cursor";

/** On `GET <base>/`: the app's own key whose live or last stream is asked for. */
export const THREAD_PARAM = "thread";

/** The header of the SSE standard in which a client gives its position; it wins over {@link CURSOR_PARAM}. */
export const LAST_EVENT_ID_HEADER = "last-event-id";

/** The longest thread key, in bytes of UTF-8. */
export const MAX_THREAD_KEY_BYTES = 256;

/** Milliseconds without an event after which a follow response sends a comment, so that proxies keep it open. */
export const DEFAULT_HEARTBEAT_MS = 15_000;

// SSE event names of the control events. An event without a name is an entry of the log.

/** A checkpoint: its `id` is the cursor, its data a {@link SnapshotControl}. Replaces the client's state. */
export const SNAPSHOT_EVENT = "rejoin.snapshot";

/** The client's position is not in this log: drop the state and fold from the start. Its `id` is the new position. */
export const RESET_EVENT = "rejoin.reset";

/** Everything stored was sent; what follows is live. Its data is a {@link LiveControl}. */
export const LIVE_EVENT = "rejoin.live";

/** The stream's end, and the only true one. Its data is a {@link StreamEnd}. */
export const END_EVENT = "rejoin.end";

/** Data of `rejoin.snapshot`. */
export interface SnapshotControl {
  /** Name of the protocol whose fold wrote the snapshot. */
  readonly protocol: string;
  /** Version of that protocol. */
  readonly version: number;
  /** What `StreamFold.snapshot()` returned at the event's cursor. */
  readonly snapshot: JsonValue;
}

/** Data of `rejoin.live`. */
export interface LiveControl {
  /** Milliseconds between two signs of life. Three of them without a byte are a cut. */
  readonly heartbeatMs: number;
}

/** How a stream that has ended may have ended. `missing` is said of one that was deleted or has expired. */
export type EndStatus = (typeof END_STATUSES)[number];

const END_STATUSES = ["done", "error", "stopped", "missing"] as const;

/** Whether a value says how a stream ended. */
export function isEndStatus(value: unknown): value is EndStatus {
  return END_STATUSES.some((status) => status === value);
}

/** An error as the wire and the client's state show it: nothing in it is internal. */
export interface PublicError {
  /** What went wrong; a newer server may have codes that are not in the type. */
  readonly code: StreamErrorCode;
  /** A text fit for users. */
  readonly message: string;
}

/** How a stream ended. Data of `rejoin.end`. */
export interface StreamEnd {
  readonly status: EndStatus;
  /** Present when the status is `error` or `missing`. */
  readonly error?: PublicError;
}

/** What a stream is, or was, as `GET <base>/:id/status` tells it. */
export type StreamStatus = "missing" | "streaming" | "done" | "error" | "stopped";

/** Body of `GET <base>/:id/status`, of `POST <base>/:id/stop`, and, with `streamId`, of `GET <base>/?thread=KEY`. */
export interface StreamStatusBody {
  readonly status: StreamStatus;
  /** The position after the last entry of the log. */
  readonly cursor: string;
  /** Name of the stream's protocol. */
  readonly protocol: string;
  readonly error?: PublicError;
}

/** Body of `GET <base>/?thread=KEY`. */
export interface ThreadStreamBody extends StreamStatusBody {
  readonly streamId: string;
}

/** Body of every error response. */
export interface ErrorBody {
  readonly error: PublicError;
}
