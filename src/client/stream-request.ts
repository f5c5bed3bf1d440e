/** One request for a stream, and the reading of its response. */
import { createSseReader, type SseEvent } from "../shared/sse.ts";
import { CONTROL_PARAM, CURSOR_PARAM } from "../shared/wire.ts";
import { assertOk, RequestError } from "./client-error.ts";
import { failureWith } from "./failure.ts";
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

/** Where requests take their options from, at every attempt. */
export interface RequestSource {
  /** Asked at every attempt, in place of the options themselves. */
  readonly requestOptions?: (() => RequestOptions) | undefined;
}

/** Events above all; some answers are JSON. */
const ACCEPT = "text/event-stream, */*";

/**
 * Sends a request with the headers of the moment. After a 401 they are asked again, once, where they may have changed: a
 * token may have run out.
 *
 * @param prepare called at every attempt: may change the headers, and gives the body.
 * @param mayChange whether what `prepare` does to the headers may be another thing the next time.
 */
export async function sendRequest(
  url: string,
  init: Omit<RequestInit, "headers" | "body">,
  source: RequestOptions & RequestSource,
  prepare?: (headers: Headers) => Promise<BodyInit | null>,
  mayChange?: boolean,
): Promise<Response> {
  const { requestOptions = () => source } = source;
  const send = async ({
    headers: given,
    credentials = "same-origin",
    fetch = globalThis.fetch,
  }: RequestOptions): Promise<Response> => {
    const headers = new Headers(typeof given === "function" ? await given() : given);
    headers.set("accept", ACCEPT);
    const body = (await prepare?.(headers)) ?? null;
    return fetch(url, { ...init, headers, credentials, body });
  };
  const options = requestOptions();
  const response = await send(options);
  if (response.status !== 401) return response;
  const now = requestOptions();
  if (!mayChange && typeof now.headers !== "function" && now.headers === options.headers) return response;
  await response.body?.cancel();
  return send(now);
}

/** Address of a stream below an endpoint. */
export function streamUrl(endpoint: string, streamId: string, operation = ""): string {
  return `${endpoint.replace(/\/+$/, "")}/${encodeURIComponent(streamId)}${operation}`;
}

/** Address at which a stream is followed from a cursor, with control events. */
export function followUrl(endpoint: string, streamId: string, cursor: string): string {
  const position = cursor && `&${CURSOR_PARAM}=${cursor}`;
  return `${streamUrl(endpoint, streamId)}?${CONTROL_PARAM}=1${position}`;
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
 * Reads a response: with each chunk come the events that it completed, perhaps none. Ahead of them comes an empty list,
 * once the response is known to be one of events; {@link RequestError} is thrown for any other.
 *
 * Lets go of the connection when its reader leaves.
 */
export async function* readEvents(response: Response): AsyncGenerator<readonly SseEvent[], void> {
  await assertOk(response);
  const { body } = response;
  if (body === null || !response.headers.get("content-type")?.includes("text/event-stream")) {
    await body?.cancel();
    throw new RequestError(failureWith("bad-response"));
  }
  const reader = body.getReader();
  let events: SseEvent[] = [];
  const sse = createSseReader({ onEvent: (event) => events.push(event), maxBufferSize: MAX_EVENT_LENGTH });
  // A cut takes along what was not read yet, so the page's turns must not keep anything waiting there.
  const readAhead = (): ReturnType<typeof reader.read> => {
    const read = reader.read();
    read.catch(() => {});
    return read;
  };
  const reads = Array.from({ length: READ_AHEAD }, readAhead);
  let workedMs = 0;
  try {
    yield events;
    for (;;) {
      const { done, value } = await (reads.shift() ?? readAhead());
      if (done) return;
      reads.push(readAhead());
      for (let at = 0; at < value.length; at += SLICE_BYTES) {
        const startMs = Date.now();
        events = [];
        sse.feed(value.subarray(at, at + SLICE_BYTES));
        yield events;
        workedMs += Date.now() - startMs;
        if (workedMs < SLICE_MS) continue;
        // Chunks that are there already are read without a task between them, so a replay would be one long task.
        workedMs = 0;
        await nextTask();
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
