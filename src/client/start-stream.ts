/** The request that starts a stream. */
import { CONTROL_HEADER, STREAM_ID_HEADER } from "../shared/wire.ts";
import { sendRequest, type Lazy, type RequestOptions, type RequestSource } from "./stream-request.ts";
import type { StreamSession } from "./session-contract.ts";

/** What is sent to start a stream. Functions are called at every attempt. */
export interface StartStreamRequest {
  /** The app's own route. */
  readonly url: string;
  /** Sent as JSON, unless it is a text, a form or bytes. A function is asked for it, and may answer with a promise. */
  readonly body?: unknown;
  /** Headers of this request, over those of every request. */
  readonly headers?: Lazy<HeadersInit> | undefined;
}

/**
 * Sends the request that starts the session's stream; the session reads its response. The same id may be sent again: the
 * server starts the stream once. Resolves when the response is there.
 */
export function startStream(
  session: StreamSession<unknown>,
  { url, body, headers }: StartStreamRequest,
  options: RequestOptions & RequestSource = {},
): Promise<void> {
  const prepare = async (prepared: Headers): Promise<BodyInit | null> => {
    const encoded = encodeBody(isFunction(body) ? await body() : body);
    if (encoded.type !== undefined) prepared.set("content-type", encoded.type);
    const own = new Headers(typeof headers === "function" ? await headers() : headers);
    own.forEach((value, name) => prepared.set(name, value));
    prepared.set(STREAM_ID_HEADER, session.id);
    prepared.set(CONTROL_HEADER, "1");
    return encoded.body;
  };
  const mayChange = typeof headers === "function";
  return session.start((signal) => sendRequest(url, { method: "POST", signal }, options, prepare, mayChange));
}

function isFunction(value: unknown): value is () => unknown {
  return typeof value === "function";
}

interface EncodedBody {
  readonly body: BodyInit | null;
  /** Where `fetch` does not know it by itself. */
  readonly type?: string;
}

function encodeBody(body: unknown): EncodedBody {
  if (body === undefined || body === null) return { body: null };
  const isEncoded =
    typeof body === "string" ||
    body instanceof FormData ||
    body instanceof URLSearchParams ||
    body instanceof Blob;
  if (isEncoded) return { body };
  if (body instanceof ArrayBuffer || body instanceof Uint8Array) return { body: new Uint8Array(body) };
  return { body: JSON.stringify(body), type: "application/json" };
}
