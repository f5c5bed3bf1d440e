/**
 * Server-sent events, in and out, after the HTML standard, 9.2.
 *
 * Reading is `eventsource-parser`. Writing is here: a value of `id` or `event` with CR, LF or NUL is refused, since it
 * would end the field or be ignored (9.2.6), and data is split into a `data:` line a line.
 */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { ResumableStreamError } from "./errors.ts";

/** One event as it was read. */
export type SseEvent = EventSourceMessage;

/** Options of {@link createSseReader}. */
export interface SseReaderOptions {
  /** Called for each whole event. */
  readonly onEvent: (event: SseEvent) => void;
  /** Bound on what is held of one unfinished event, in UTF-16 units; unbounded by default. */
  readonly maxBufferSize?: number;
}

/** Reads SSE from bytes or text cut anywhere, even inside a character. */
export interface SseReader {
  /** Takes the next bytes or text. Throws `limit-exceeded` when one event grows over the bound. */
  feed(chunk: Uint8Array | string): void;
}

/** Makes a reader. */
export function createSseReader({ onEvent, maxBufferSize = Infinity }: SseReaderOptions): SseReader {
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent,
    maxBufferSize,
    onError({ type }) {
      if (type === "max-buffer-size-exceeded")
        throw new ResumableStreamError("limit-exceeded", `An event is longer than ${maxBufferSize}.`);
    },
  });
  return {
    feed(chunk) {
      parser.feed(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
    },
  };
}

const LINE_ENDING = /\r\n|\r|\n/;
const FORBIDDEN_IN_FIELD = /[\r\n\0]/;

/** Writes one event. At least `data` or `id` is given by callers; both may be. */
export function formatSseEvent(event: {
  readonly id?: string;
  readonly event?: string;
  readonly data: string;
}): string {
  let text = "";
  if (event.id !== undefined) text += `id: ${checkField("id", event.id)}\n`;
  if (event.event !== undefined) text += `event: ${checkField("event", event.event)}\n`;
  if (event.data.includes("\n") || event.data.includes("\r")) {
    for (const line of event.data.split(LINE_ENDING)) text += `data: ${line}\n`;
  } else {
    text += `data: ${event.data}\n`;
  }
  return `${text}\n`;
}

/** Writes a comment: what our wire uses as a heartbeat. */
export function formatSseComment(comment: string): string {
  return `: ${checkField("comment", comment)}\n\n`;
}

function checkField(name: string, value: string): string {
  if (!FORBIDDEN_IN_FIELD.test(value)) return value;
  throw new ResumableStreamError("invalid-request", `An SSE ${name} must not hold CR, LF or NUL.`);
}
