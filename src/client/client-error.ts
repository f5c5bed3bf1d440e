/** Errors of requests, as the machine and the app see them. */
import { ResumableStreamError } from "../shared/errors.ts";
import { isObject, parseJson } from "../shared/json/json-value.ts";
import { CLIENT_ERROR_TEXTS, failureWith, readPublicError, type Failure } from "./failure.ts";
import { parseRetryAfter } from "./retry.ts";

/** A request that was not answered, or not with what was asked for. */
export class RequestError extends ResumableStreamError implements Failure {
  readonly status: number;
  readonly retryAfterMs: number;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.code, failure.message, options);
    this.status = failure.status;
    this.retryAfterMs = failure.retryAfterMs;
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
  throw new RequestError({
    code: "http-error",
    message: `${CLIENT_ERROR_TEXTS["http-error"]} (${status})`,
    ...(isObject(body) && readPublicError(body["error"])),
    status,
    retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), Date.now()),
  });
}
