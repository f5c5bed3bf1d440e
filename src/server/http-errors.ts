/** Errors as responses: the one place where something thrown becomes what a client reads. */
import { isResumableStreamError } from "../shared/errors.ts";
import type { ErrorBody } from "../shared/wire.ts";
import { httpStatusOf, isServerErrorCode, publicMessageOf, type ServerErrorCode } from "./error-facts.ts";

/** Seconds after which a client should ask a store again that is away. */
const RETRY_AFTER_SECONDS = "1";

/** A response with a code, its status and its public text. */
export function errorResponse(code: ServerErrorCode, headers: Record<string, string> = {}): Response {
  const body: ErrorBody = { error: { code, message: publicMessageOf(code) } };
  const retryAfter = code === "store-unavailable" ? { "retry-after": RETRY_AFTER_SECONDS } : undefined;
  return jsonResponse(body, { status: httpStatusOf(code), headers: { ...retryAfter, ...headers } });
}

/**
 * The response for something thrown. A {@link ResumableStreamError} is answered with its code and that code's public
 * text, never with its message; anything else is logged and becomes a bare 500.
 */
export function responseOfError(error: unknown): Response {
  if (isResumableStreamError(error) && isServerErrorCode(error.code)) return errorResponse(error.code);
  console.error("rejoin: a request failed:", error);
  return errorResponse("internal");
}

/** A JSON response that no cache keeps. */
export function jsonResponse(
  body: unknown,
  init: { readonly status: number; readonly headers?: Record<string, string> },
): Response {
  return new Response(JSON.stringify(body), {
    status: init.status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...init.headers },
  });
}
