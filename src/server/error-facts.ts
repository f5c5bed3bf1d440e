/** What a server says of each code: the HTTP status of the response that carries it, and the text that users may read. */
import type { ClientErrorCode, StreamErrorCode } from "../shared/errors.ts";

/** A code that a server may send. */
export type ServerErrorCode = Exclude<StreamErrorCode, ClientErrorCode>;

interface ErrorFacts {
  readonly httpStatus: number;
  /** What a user is told when the app says nothing better. */
  readonly publicMessage: string;
}

const ERROR_FACTS: Readonly<Record<ServerErrorCode, ErrorFacts>> = {
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
};

/** Whether a server may send the code. */
export function isServerErrorCode(code: StreamErrorCode): code is ServerErrorCode {
  return Object.hasOwn(ERROR_FACTS, code);
}

/** The HTTP status that goes with a code. */
export function httpStatusOf(code: ServerErrorCode): number {
  return ERROR_FACTS[code].httpStatus;
}

/** The text that a user may read when the app gave none. */
export function publicMessageOf(code: ServerErrorCode): string {
  return ERROR_FACTS[code].publicMessage;
}
