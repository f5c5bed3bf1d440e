/** The request that starts a stream. */
import { CONTROL_HEADER, STREAM_ID_HEADER } from "../shared/wire.ts";
import { sendRequest, type RequestOptions, type RequestSource } from "./stream-request.ts";
import type { StreamSession } from "./session-contract.ts";

/** What is sent to start a stream. */
export interface StartStreamRequest {
  /** The app's own route. */
  readonly url: string;
  /** Sent as JSON, unless it is a text, a form or bytes. */
  readonly body?: unknown;
  /** Headers of this request, over those of every request. */
  readonly headers?: HeadersInit | undefined;
}

/**
 * Sends the request that starts the session's stream; the session reads its response. The same id may be sent again: the
 * server starts the stream once. Resolves when the response is there.
 */
export function startStream(
  session: StreamSession<unknown>,
  request: StartStreamRequest,
  options: RequestOptions & RequestSource = {},
): Promise<void> {
  return session.start((signal) =>
    sendRequest(request.url, { method: "POST", signal }, options, (headers) => {
      const { body, type } = encodeBody(request.body);
      if (type !== undefined) headers.set("content-type", type);
      new Headers(request.headers).forEach((value, name) => headers.set(name, value));
      headers.set(STREAM_ID_HEADER, session.id);
      headers.set(CONTROL_HEADER, "1");
      return body;
    }),
  );
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
