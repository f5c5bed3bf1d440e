/** Errors of requests, as the machine and the app see them. */
import { isStreamErrorCode, ResumableStreamError } from "../shared/errors.ts";
import { isObject, isString, parseJson } from "../shared/json/json-value.ts";
import { CLIENT_ERROR_TEXTS, failureWith, type Failure } from "./failure.ts";
import { parseRetryAfter } from "./retry.ts";

/** A request that was not answered, or not with what was asked for. */
export class RequestError extends ResumableStreamError implements Failure {
  readonly status: number;
  readonly retryAfterMs: number;

  constructor({ code, message, status, retryAfterMs }: Failure, options?: ErrorOptions) {
    super(code, message, options);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * What was thrown, as an error of a request. Browsers have each their own words for a request that did not reach the
 * server ("Failed to fetch", "Load failed", "NetworkError when …"), and none of them is a promise: whatever `fetch` throws
 * is one.
 */
export function requestErrorOf(error: unknown): RequestError {
  return error instanceof RequestError ? error : new RequestError(failureWith("network"), { cause: error });
}

/** Throws {@link RequestError} for any status but 200, with the server's error where its body is one of ours. */
export async function assertOk(response: Response): Promise<void> {
  const { status } = response;
  if (status === 200) return;
  // Some proxy's page is no error of ours: the status has to do.
  const body = parseJson(await response.text().catch(() => ""));
  const { code, message } = isObject(body) && isObject(body["error"]) ? body["error"] : {};
  throw new RequestError({
    code: "http-error",
    message: `${CLIENT_ERROR_TEXTS["http-error"]} (${status})`,
    ...(isStreamErrorCode(code) && isString(message) && { code, message }),
    status,
    retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), Date.now()),
  });
}
