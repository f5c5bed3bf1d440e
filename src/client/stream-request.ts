/** One request for a stream, and the reading of its response. */
import { createSseReader, type SseEvent } from "../shared/sse.ts";
import { CONTROL_PARAM, CURSOR_PARAM } from "../shared/wire.ts";
import { failureOfResponse, RequestError } from "./client-error.ts";
import { nextTask } from "./next-task.ts";

/** A value, or a function that is asked for it before each request; it may be asked again at any time. */
export type Lazy<T> = T | (() => T | Promise<T>);

/** How requests are made. Functions are called at every attempt, so a token may be renewed in between. */
export interface RequestOptions {
  /** Headers of every request, such as `authorization`. */
  readonly headers?: Lazy<HeadersInit> | undefined;
  /** `fetch`, or something like it. The global one by default, looked up at every request. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** As of `fetch`; `same-origin` by default. */
  readonly credentials?: RequestCredentials | undefined;
}

/** Sends a request with the headers of the moment. */
export async function sendRequest(
  url: string,
  init: RequestInit,
  options: RequestOptions,
): Promise<Response> {
  const headers = new Headers(
    typeof options.headers === "function" ? await options.headers() : options.headers,
  );
  new Headers(init.headers).forEach((value, name) => headers.set(name, value));
  const { credentials } = options;
  const request = { ...init, headers, ...(credentials === undefined ? {} : { credentials }) };
  return (options.fetch ?? globalThis.fetch)(url, request);
}

/** Asks for JSON. Throws {@link RequestError} for any status but 200, and for what is no JSON. */
export async function requestJson(url: string, init: RequestInit, options: RequestOptions): Promise<unknown> {
  const send = (): Promise<Response> =>
    sendRequest(url, { ...init, headers: { accept: "application/json" } }, options);
  let response = await send();
  // A token that has run out: the headers are asked again, once.
  if (response.status === 401 && typeof options.headers === "function") {
    await response.body?.cancel();
    response = await send();
  }
  if (response.status !== 200) throw new RequestError(await failureOfResponse(response, Date.now()));
  try {
    return await response.json();
  } catch (cause) {
    throw new RequestError({ kind: "bad-response" }, { cause });
  }
}

/** Address of a stream below an endpoint. */
export function streamUrl(endpoint: string, streamId: string, operation = ""): string {
  return `${endpoint.replace(/\/+$/, "")}/${encodeURIComponent(streamId)}${operation}`;
}

/** Address at which a stream is followed from a cursor, with control events. */
export function followUrl(endpoint: string, streamId: string, cursor: string): string {
  const query = new URLSearchParams({
    [CONTROL_PARAM]: "1",
    ...(cursor === "" ? {} : { [CURSOR_PARAM]: cursor }),
  });
  return `${streamUrl(endpoint, streamId)}?${query}`;
}

/** Who reads a response. */
export interface StreamReading {
  /** The response is one of events. */
  onOpen(): void;
  /** A chunk came; its events are to follow. */
  onActivity(): void;
  onEvent(event: SseEvent): void;
  /** The events of a chunk, or of a slice of a long one, were handed on. */
  onChunkEnd(): void;
  isWanted(): boolean;
}

/** The longest event that a client holds, in UTF-16 units: a checkpoint of a long answer, and then some. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;
/** Chunks that are asked for before they can be looked at; networks give some 64 KB each at most. */
const READ_AHEAD = 32;
/** Milliseconds of work after which the page gets a turn. */
const SLICE_MS = 8;
/** Bytes that are read without a look at the clock. */
const SLICE_BYTES = 16 * 1024;

/**
 * Reads the events of a response to its end. Throws {@link RequestError} for a response that is not one of events.
 *
 * Ends quietly, and lets go of the connection, once `isWanted` says no. However fast events come, the page gets its turns.
 */
export async function readStreamResponse(response: Response, reading: StreamReading): Promise<void> {
  if (response.status !== 200) throw new RequestError(await failureOfResponse(response, Date.now()));
  const { body } = response;
  if (body === null || !(response.headers.get("content-type") ?? "").includes("text/event-stream")) {
    await body?.cancel();
    throw new RequestError({ kind: "bad-response" });
  }
  reading.onOpen();
  const sse = createSseReader(
    { onEvent: (event) => reading.onEvent(event) },
    { maxEventLength: MAX_EVENT_LENGTH },
  );
  const reader = body.getReader();
  // A cut takes along what was not read yet, so the page's turns must not keep anything waiting there.
  const readAhead = (): ReturnType<typeof reader.read> => {
    const read = reader.read();
    read.catch(() => {});
    return read;
  };
  const reads = Array.from({ length: READ_AHEAD }, readAhead);
  let workedMs = 0;
  try {
    for (;;) {
      const { done, value } = await (reads.shift() ?? readAhead());
      if (done) return;
      reads.push(readAhead());
      reading.onActivity();
      for (let at = 0; at < value.length; at += SLICE_BYTES) {
        const start = Date.now();
        sse.feed(value.subarray(at, at + SLICE_BYTES));
        reading.onChunkEnd();
        if (!reading.isWanted()) return await reader.cancel();
        workedMs += Date.now() - start;
        if (workedMs < SLICE_MS) continue;
        // Chunks that are there already are read without a task between them, so a replay would be one long task.
        workedMs = 0;
        await nextTask();
      }
    }
  } catch (error) {
    // A fault of ours must not leave the connection open.
    await reader.cancel(error).catch(() => {});
    throw error;
  }
}
