/** What to do while a store is away: the same again, for a while. */
import { isResumableStreamError } from "../shared/errors.ts";

const FIRST_MS = 50;
const MOST_MS = 1_000;

/**
 * Repeats a call that failed, while its store is away, at growing intervals; throws its last error when that takes longer
 * than `forMs`, and any other error at once.
 *
 * @param pause waits before a repetition; `false` where nobody wants it any more, which throws the last error too.
 */
export async function outlastAbsence<T>(
  call: () => Promise<T>,
  firstError: unknown,
  forMs: number,
  pause: (ms: number) => Promise<boolean>,
): Promise<T> {
  const sinceMs = performance.now();
  let delayMs = FIRST_MS;
  for (let error = firstError; ;) {
    if (!isResumableStreamError(error, "store-unavailable")) throw error;
    if (performance.now() - sinceMs >= forMs || !(await pause(delayMs))) throw error;
    delayMs = Math.min(delayMs * 2, MOST_MS);
    try {
      return await call();
    } catch (nextError) {
      error = nextError;
    }
  }
}
