/** The response that follows a stream of events: the same for the POST that started it and for a GET. */
import { formatCursor, isUrlStreamId, parseCursor } from "../shared/cursor.ts";
import { ResumableStreamError } from "../shared/errors.ts";
import {
  CONTROL_HEADER,
  CONTROL_PARAM,
  CURSOR_PARAM,
  LAST_EVENT_ID_HEADER,
  STREAM_ID_HEADER,
} from "../shared/wire.ts";
import type { StreamRecord } from "./stores/stream-store.ts";

/** Headers of every response of events. `no-transform` and `x-accel-buffering` keep proxies from holding it back. */
const EVENT_STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/**
 * The stream id that a client sent with the request that starts a stream, in `x-resumable-stream-id`. Throws
 * `invalid-id` where there is none, or it is not one.
 */
export function readStreamId(request: Request): string {
  const streamId = request.headers.get(STREAM_ID_HEADER);
  if (streamId !== null && isUrlStreamId(streamId)) return streamId;
  throw new ResumableStreamError(
    "invalid-id",
    streamId === null
      ? `The request has no ${STREAM_ID_HEADER} header: the client mints an id and sends it, so that a retry is no second answer.`
      : `The ${STREAM_ID_HEADER} header is not a stream id: use 1 to 256 of the characters A-Z a-z 0-9 _ . : -`,
  );
}

/**
 * Where a client wants to read from: `Last-Event-ID`, else `?cursor=`, else the start. The header wins, since a native
 * EventSource repeats the URL that it was made with. Throws `invalid-cursor`.
 */
export function readCursor(request: Request): string {
  const cursor =
    request.headers.get(LAST_EVENT_ID_HEADER) || new URL(request.url).searchParams.get(CURSOR_PARAM) || "";
  if (cursor === "" || parseCursor(cursor) !== null) return cursor;
  throw new ResumableStreamError("invalid-cursor", "The cursor is not one that this server wrote.");
}

/** Whether a client asked for control events. */
export function wantsControl(request: Request): boolean {
  return (
    request.headers.get(CONTROL_HEADER) === "1" ||
    new URL(request.url).searchParams.get(CONTROL_PARAM) === "1"
  );
}

/**
 * Whether a client without control events has nothing to get from where it is: at the end of an ended stream, or in an
 * old generation. It is answered with 204, which ends a native EventSource (HTML, 9.2.3); else it would ask for ever.
 */
export function hasNothingToRead(record: StreamRecord, cursor: string): boolean {
  const position = cursor === "" ? null : parseCursor(cursor);
  if (position === null) return false;
  if (position.generation !== record.generation) return true;
  return record.status !== "streaming" && position.seq >= record.lastSeq;
}

/** Puts a body of events into its response. */
export function eventStreamResponse(
  streamId: string,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  headers?: HeadersInit,
): Response {
  return new Response(body, { headers: withStreamId(streamId, EVENT_STREAM_HEADERS, headers) });
}

/** The response that says: nothing to read, do not ask again. */
export function nothingToReadResponse(streamId: string): Response {
  return new Response(null, {
    status: 204,
    headers: withStreamId(streamId, { "cache-control": "no-store" }),
  });
}

/** Headers, later ones over earlier ones, and the stream id over all. */
export function withStreamId(streamId: string, ...inits: readonly (HeadersInit | undefined)[]): Headers {
  const headers = new Headers();
  for (const init of inits) new Headers(init).forEach((value, name) => headers.set(name, value));
  headers.set(STREAM_ID_HEADER, streamId);
  return headers;
}

/** The cursor after the last entry of a stream. */
export function endCursorOf(record: StreamRecord): string {
  return formatCursor(record.generation, record.lastSeq);
}
