/** When TanStack Query asks again: what may work the next time, after a pause that the server may ask for. */
import { RequestError } from "../client-error.ts";
import { isFinal } from "../failure.ts";
import { backoffMs } from "../retry.ts";

/** How often a request is repeated. */
const RETRIES = 3;

/** Whether the server refused for good: it would refuse again. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RequestError && isFinal(error);
}

/** As TanStack's `retry`. */
export function retry(failureCount: number, error: unknown): boolean {
  return failureCount < RETRIES && !isRefusal(error);
}

/** As TanStack's `retryDelay`. */
export function retryDelay(failureCount: number, error: unknown): number {
  const retryAfterMs = error instanceof RequestError ? error.retryAfterMs : 0;
  return Math.max(retryAfterMs, backoffMs(failureCount + 1, Math.random()));
}
