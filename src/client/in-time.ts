/** A bound on the time that a request takes, with all that is done for it. */
import { RequestError } from "./client-error.ts";
import { failureWith } from "./failure.ts";
import { ANSWER_TIMEOUT_MS } from "./session-state.ts";

/**
 * Does what takes a request. Rejects with the code `network` when it is not done after 20 seconds, as on a network that
 * stalls, and with the reason of `signal` when that is aborted; what is under way is aborted then.
 */
export async function inTime<T>(ask: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
  const end = new AbortController();
  const ended = new Promise<never>((_resolve, reject) => {
    end.signal.addEventListener("abort", () => reject(end.signal.reason));
  });
  const abort = (): void => end.abort(signal?.reason);
  const timer = setTimeout(() => end.abort(new RequestError(failureWith("network"))), ANSWER_TIMEOUT_MS);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    return await Promise.race([ended, ask(end.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
