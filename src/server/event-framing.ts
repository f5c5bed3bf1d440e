/**
 * Cuts a source into whole events. However the source was chunked, even inside a character, what comes out is one payload
 * an event: so a cursor, which counts payloads, never falls inside one.
 */
import { ResumableStreamError } from "../shared/errors.ts";
import { createSseReader } from "../shared/sse.ts";
import { payloadBytes } from "./stores/limits.ts";

/** What a source of events may yield: SSE as bytes or text, cut anywhere, or one payload as an object. */
export type SourceChunk = Uint8Array | string | object;

/** Options of {@link createEventFraming}. */
export interface EventFramingOptions {
  /** Bound of one payload, in bytes of UTF-8, and of what is held of an unfinished one. */
  readonly maxChunkBytes: number;
  /** The protocol's end marker, which is no payload. */
  readonly endMarker?: string | undefined;
  /** Called for each payload, in order, with its bytes. */
  readonly onPayload: (payload: string, bytes: number) => void;
}

/** Takes a source's chunks. */
export interface EventFraming {
  /**
   * Takes the next chunk. Payloads that are whole are handed on before it throws `limit-exceeded` for one that is too
   * large, or `source-failed` for an object that JSON cannot write.
   */
  push(chunk: SourceChunk): void;
  /** Whether the end marker was there. */
  sawEndMarker(): boolean;
}

/** An event may be held with its field name and line ending. */
const FIELD_OVERHEAD = 16;
const LINE_ENDINGS = /\r\n|\r|\n/g;

/** Makes a framing for one source. An event that its source did not finish with a blank line is no event (HTML, 9.2.6). */
export function createEventFraming(options: EventFramingOptions): EventFraming {
  const { maxChunkBytes, endMarker, onPayload } = options;
  let markerSeen = false;
  const reader = createSseReader({
    maxBufferSize: maxChunkBytes + FIELD_OVERHEAD,
    onEvent({ data }) {
      if (data === endMarker) markerSeen = true;
      // Servers send events without data to keep a connection open; they say nothing.
      else if (data !== "") emit(data);
    },
  });

  function emit(data: string): void {
    // Lines of data join with LF. A payload has no raw line ending: in JSON that is white space between tokens.
    const payload = (/[\r\n]/.test(data) ? data.replace(LINE_ENDINGS, " ") : data).toWellFormed();
    const bytes = payloadBytes(payload);
    if (bytes > maxChunkBytes) {
      throw new ResumableStreamError(
        "limit-exceeded",
        `An event is larger than maxChunkBytes (${maxChunkBytes}).`,
      );
    }
    onPayload(payload, bytes);
  }

  return {
    push(chunk) {
      if (typeof chunk === "string" || chunk instanceof Uint8Array) return reader.feed(chunk);
      const payload: string | undefined = JSON.stringify(chunk);
      if (payload === undefined) {
        throw new ResumableStreamError(
          "source-failed",
          `A source yielded a ${typeof chunk}, which is not JSON.`,
        );
      }
      return emit(payload);
    },
    sawEndMarker: () => markerSeen,
  };
}
