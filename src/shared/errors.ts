/**
 * The one error class, its closed set of codes, and the table that gives each code its HTTP status and the text that
 * users may read. Server and client read the same table.
 */

/** What went wrong. A closed set: a `switch` over it can be exhaustive. */
export type StreamErrorCode =
  // The request.
  | "invalid-id"
  | "invalid-cursor"
  | "invalid-request"
  | "unauthorized"
  | "forbidden"
  | "missing"
  | "method-not-allowed"
  | "not-events"
  | "internal"
  | "store-unavailable"
  // The store contract.
  | "exists"
  | "finalized"
  | "unsupported"
  // How a stream ended.
  | "source-failed"
  | "source-incomplete"
  | "producer-lost"
  | "limit-exceeded"
  | "deleted"
  | "expired"
  // The client.
  | "network"
  | "bad-response"
  | "http-error";

/** What goes with a code. */
export interface ErrorFacts {
  /** Status of the HTTP response that carries the code. */
  readonly httpStatus: number;
  /** What a user may be told when the app says nothing better. */
  readonly publicMessage: string;
}

/** Every code, with its HTTP status and its default public text. */
export const STREAM_ERRORS: Readonly<Record<StreamErrorCode, ErrorFacts>> = {
  "invalid-id": { httpStatus: 400, publicMessage: "The stream id is not valid." },
  "invalid-cursor": { httpStatus: 400, publicMessage: "The cursor is not valid." },
  "invalid-request": { httpStatus: 400, publicMessage: "The request is not valid." },
  unauthorized: { httpStatus: 401, publicMessage: "Sign in to read this stream." },
  forbidden: { httpStatus: 403, publicMessage: "You may not use this stream." },
  missing: { httpStatus: 404, publicMessage: "There is no such stream." },
  "method-not-allowed": { httpStatus: 405, publicMessage: "This method is not allowed here." },
  "not-events": { httpStatus: 409, publicMessage: "This stream holds bytes, not events." },
  internal: { httpStatus: 500, publicMessage: "Something went wrong on the server." },
  "store-unavailable": { httpStatus: 503, publicMessage: "The answer's storage is not reachable." },
  exists: { httpStatus: 409, publicMessage: "This stream exists already." },
  finalized: { httpStatus: 409, publicMessage: "This stream has ended." },
  unsupported: { httpStatus: 501, publicMessage: "The server's store cannot do this." },
  "source-failed": { httpStatus: 500, publicMessage: "The answer could not be completed." },
  "source-incomplete": { httpStatus: 500, publicMessage: "The answer broke off before its end." },
  "producer-lost": { httpStatus: 500, publicMessage: "The server that wrote the answer was lost." },
  "limit-exceeded": { httpStatus: 500, publicMessage: "The answer grew too large." },
  deleted: { httpStatus: 404, publicMessage: "This answer was deleted." },
  expired: { httpStatus: 404, publicMessage: "This answer has expired." },
  // The client.
  network: { httpStatus: 0, publicMessage: "The connection was lost." },
  "bad-response": { httpStatus: 0, publicMessage: "The server's response was not understood." },
  "http-error": { httpStatus: 0, publicMessage: "The server refused the request." },
};

/** Whether a value read from outside is one of the codes. */
export function isStreamErrorCode(value: unknown): value is StreamErrorCode {
  return typeof value === "string" && Object.hasOwn(STREAM_ERRORS, value);
}

/** The HTTP status that goes with a code; 0 for those that only a client gives. */
export function httpStatusOf(code: StreamErrorCode): number {
  return STREAM_ERRORS[code].httpStatus;
}

/** The text that a user may read when the app gave none. */
export function publicMessageOf(code: StreamErrorCode): string {
  return STREAM_ERRORS[code].publicMessage;
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
