/** When to try again. */

/** The first pause is at most this long. */
const FIRST_MS = 250;
/** Never nothing: a failure that comes at once must not become a busy loop. */
const LEAST_MS = 50;
/** No pause is longer, but for a server that asks for more. */
const MOST_MS = 10_000;
/** A server may ask for a pause, but not for silence: an hour is what anybody can mean. */
const MOST_RETRY_AFTER_MS = 60 * 60_000;

/**
 * The pause before attempt `attempt` + 1: full jitter, anything from a fraction of the bound up to it, and the bound
 * doubles with each attempt. Many clients that were cut at once come back spread out.
 *
 * @param attempt how many attempts failed in a row; 1 or more.
 * @param random from 0 up to 1.
 */
export function backoffMs(attempt: number, random: number): number {
  const bound = Math.min(MOST_MS, FIRST_MS * 2 ** (attempt - 1));
  return Math.max(LEAST_MS, Math.round(bound * random));
}

/**
 * Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. In milliseconds; 0 where there is none that can be read.
 */
export function parseRetryAfter(value: string | null, now: number): number {
  const seconds = Number(value ?? undefined);
  const ms = Number.isNaN(seconds) ? Date.parse(value ?? "") - now : seconds * 1_000;
  return Math.min(Math.max(ms || 0, 0), MOST_RETRY_AFTER_MS);
}
