/** Errors of requests, as the machine and the app see them. */
import { isStreamErrorCode, publicMessageOf, ResumableStreamError } from "../shared/errors.ts";
import type { PublicError } from "../shared/wire.ts";
import { parseRetryAfter } from "./retry.ts";
import type { Failure } from "./session-state.ts";

/** A request that was answered, but not with what was asked for. `failure` says with what. */
export class RequestError extends ResumableStreamError {
  override readonly name: string = "ResumableStreamRequestError";
  readonly failure: Failure;
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;

  constructor(failure: Failure, options?: ErrorOptions) {
    const error = errorOf(failure);
    super(error.code, error.message, options);
    this.failure = failure;
    this.status = failure.kind === "http" ? failure.status : 0;
  }
}

/** The error that users may read of a failure. */
export function errorOf(failure: Failure): PublicError {
  if (failure.kind === "http") return failure.error;
  return { code: failure.kind, message: publicMessageOf(failure.kind) };
}

/**
 * The failure in something thrown. Browsers have each their own words for a request that did not reach the server ("Failed
 * to fetch", "Load failed", "NetworkError when …"), and none of them is a promise: whatever `fetch` throws is one.
 */
export function failureOf(error: unknown): Failure {
  return error instanceof RequestError ? error.failure : { kind: "network" };
}

/** The failure in a response that is not 200. Reads its body, as far as it is an error of ours. */
export async function failureOfResponse(response: Response, now: number): Promise<Failure> {
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), now);
  return { kind: "http", status: response.status, error: await readError(response), retryAfterMs };
}

async function readError(response: Response): Promise<PublicError> {
  try {
    const { error } = await response.json();
    if (isStreamErrorCode(error?.code) && typeof error.message === "string") {
      return { code: error.code, message: error.message };
    }
  } catch {
    // Some proxy's page: the status has to do.
  }
  return { code: "http-error", message: `${publicMessageOf("http-error")} (${response.status})` };
}
