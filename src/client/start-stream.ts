/** The request that starts a stream. */
import { CONTROL_HEADER, STREAM_ID_HEADER } from "../shared/wire.ts";
import { sendRequest, type RequestOptions } from "./stream-request.ts";
import type { StreamSession } from "./stream-session.ts";

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
  options: RequestOptions = {},
): Promise<void> {
  return session.start(async (signal) => {
    const { body, type } = encodeBody(request.body);
    const send = (): Promise<Response> => {
      const headers = new Headers({ accept: "text/event-stream", ...type });
      new Headers(request.headers).forEach((value, name) => headers.set(name, value));
      headers.set(STREAM_ID_HEADER, session.id);
      headers.set(CONTROL_HEADER, "1");
      return sendRequest(request.url, { method: "POST", headers, body, signal }, options);
    };
    const response = await send();
    // A token that has run out: the headers are asked again, once.
    if (response.status !== 401 || typeof options.headers !== "function") return response;
    await response.body?.cancel();
    return send();
  });
}

function encodeBody(body: unknown): {
  readonly body: BodyInit | null;
  readonly type: Record<string, string>;
} {
  if (body === undefined || body === null) return { body: null, type: {} };
  if (
    typeof body === "string" ||
    body instanceof FormData ||
    body instanceof URLSearchParams ||
    body instanceof Blob
  ) {
    return { body, type: {} };
  }
  if (body instanceof ArrayBuffer || body instanceof Uint8Array)
    return { body: new Uint8Array(body), type: {} };
  return { body: JSON.stringify(body), type: { "content-type": "application/json" } };
}
