/** Why a connection or a request failed, as the machine sees it. */
import { isCode, type ClientErrorCode, type StreamErrorCode } from "../shared/errors.ts";
import { isObject, isString } from "../shared/json/json-value.ts";
import type { PublicError } from "../shared/wire.ts";

/** Why a connection or a request failed, with a text that users may read. */
export interface Failure {
  /** `network` where nothing was answered, or the response broke off; else the server's code, where it gave one. */
  readonly code: StreamErrorCode;
  readonly message: string;
  /** The HTTP status, other than 200; 0 where nothing was answered, or something that is not of this protocol. */
  readonly status: number;
  /** `Retry-After`, in milliseconds; 0 where there was none. */
  readonly retryAfterMs: number;
}

/** What users read of a failure that no server explained. */
export const CLIENT_ERROR_TEXTS: Readonly<Record<ClientErrorCode, string>> = {
  network: "The connection was lost.",
  "bad-response": "The response was not understood.",
  "http-error": "The request was refused.",
};

/** Reads an error as the wire and storage have it; `undefined` where it is none. */
export function readPublicError(value: unknown): PublicError | undefined {
  const { code, message } = isObject(value) ? value : {};
  return isCode(code) && isString(message) ? { code, message } : undefined;
}

/** A failure that is not the server's word. */
export function failureWith(code: ClientErrorCode): Failure {
  return { code, message: CLIENT_ERROR_TEXTS[code], status: 0, retryAfterMs: 0 };
}

/** Statuses of a request that may be repeated: timeout, too early, too many. All other 4xx stay what they are. */
const REPEATABLE_STATUSES: readonly number[] = [408, 425, 429];

/** Whether a failure stays one, however often the request is sent. */
export function isFinal({ status }: Failure): boolean {
  return status >= 400 && status < 500 && !REPEATABLE_STATUSES.includes(status);
}
