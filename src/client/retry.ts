/** When to try again. */

/** The first pause is at most this long. */
const FIRST_MS = 250;
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
  const bound = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  // Never nothing: a failure that comes at once must not become a busy loop.
  return Math.max(FIRST_MS / 5, Math.round(bound * random));
}

/**
 * Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. `null` where there is none that can be read.
 */
export function parseRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  const text = value.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MOST_RETRY_AFTER_MS);
}
