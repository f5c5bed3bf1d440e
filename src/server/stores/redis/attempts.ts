/**
 * Commands as they may go wrong: late, or not at all. Each is bounded in time, its failure gets its name, and what it tells
 * of the contact to Redis is noted. One promise and one timer for all, since there may be thousands a second.
 */
import { isResumableStreamError, ResumableStreamError } from "../../../shared/errors.ts";
import { unrefTimer } from "../../timers.ts";
import type { Contact } from "./contact.ts";

/** Sends a command and passes on what it comes to. Throws `store-unavailable` when it fails, or takes too long. */
export type Attempt = <T>(send: () => Promise<T>) => Promise<T>;

/** A command that takes longer has failed: its caller sends it again, which does no harm. */
const TIMEOUT_MS = 3_000;
/** A command that takes longer tells of an outage, even if it was answered. */
const SLOW_MS = 500;
/** Commands that failed for their time, and wait in the client yet. When there are so many, no more are sent to it. */
const MAX_OVERDUE = 1_000;

interface Waiting {
  readonly sentMs: number;
  readonly expire: () => void;
}

/** Makes attempts that tell a contact of trouble. */
export function createAttempt(contact: Contact): Attempt {
  /** In the order in which they were sent. */
  const waiting = new Set<Waiting>();
  let overdue = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function check(): void {
    timer = undefined;
    const nowMs = performance.now();
    for (const entry of waiting) {
      if (nowMs - entry.sentMs < TIMEOUT_MS) return arm(entry.sentMs + TIMEOUT_MS - nowMs);
      waiting.delete(entry);
      overdue += 1;
      entry.expire();
    }
  }

  function arm(delayMs: number): void {
    timer = setTimeout(check, delayMs);
    unrefTimer(timer);
  }

  function settle(entry: Waiting): void {
    if (!waiting.delete(entry)) overdue -= 1;
  }

  return (send) =>
    new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        contact.interrupt();
        reject(isResumableStreamError(cause) ? cause : unavailable(cause));
      };
      if (overdue >= MAX_OVERDUE) return fail(new Error(`${overdue} commands have had no answer yet.`));
      const entry = {
        sentMs: performance.now(),
        expire: () => fail(new Error(`No answer within ${TIMEOUT_MS} ms.`)),
      };
      waiting.add(entry);
      if (timer === undefined) arm(TIMEOUT_MS);
      send().then(
        (result) => {
          settle(entry);
          if (performance.now() - entry.sentMs > SLOW_MS) contact.interrupt();
          resolve(result);
        },
        (cause: unknown) => {
          settle(entry);
          fail(cause);
        },
      );
    });
}

function unavailable(cause: unknown): ResumableStreamError {
  return new ResumableStreamError("store-unavailable", "Redis did not do what it was asked.", { cause });
}
