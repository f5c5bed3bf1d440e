/** The one error class, and its codes. */

const STREAM_ERROR_CODES = [
  // The request.
  "invalid-id",
  "invalid-cursor",
  "invalid-request",
  "unauthorized",
  "forbidden",
  "missing",
  "method-not-allowed",
  "not-events",
  "internal",
  "store-unavailable",
  // The store contract.
  "exists",
  "finalized",
  "unsupported",
  // How a stream ended.
  "source-failed",
  "source-incomplete",
  "producer-lost",
  "limit-exceeded",
  "deleted",
  "expired",
  // The client.
  "network",
  "bad-response",
  "http-error",
] as const;

/**
 * What went wrong: the codes of this version. A client may be told of one that a newer server added, so a `switch` over what
 * it shows needs a `default`.
 */
export type StreamErrorCode = (typeof STREAM_ERROR_CODES)[number];

/** Codes of what only a client can notice; no server sends them. */
export type ClientErrorCode = "network" | "bad-response" | "http-error";

/**
 * Whether a value is a code by its form. A client takes what a server of its app's says: a code that a newer one has added is
 * shown as it is, and the list of all of them is not downloaded.
 */
export function isCode(value: unknown): value is StreamErrorCode {
  return typeof value === "string" && /^[a-z-]+$/.test(value);
}

/** Whether a value read from outside is one of the codes. */
export function isStreamErrorCode(value: unknown): value is StreamErrorCode {
  return STREAM_ERROR_CODES.some((code) => code === value);
}

/** Code of a {@link ResumableStreamError}. */
export type ResumableStreamErrorCode = StreamErrorCode;

/**
 * What rejoin throws. `code` says what happened and is stable; `message` is for developers, names the stream and what
 * to do, and is never sent to clients; `cause` is the error underneath, where there is one.
 */
export class ResumableStreamError extends Error {
  override readonly name: string = "ResumableStreamError";
  readonly code: StreamErrorCode;

  constructor(code: StreamErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether a value is a {@link ResumableStreamError}, and of that code where one is given. */
export function isResumableStreamError(
  value: unknown,
  code?: StreamErrorCode,
): value is ResumableStreamError {
  return value instanceof ResumableStreamError && (code === undefined || value.code === code);
}
