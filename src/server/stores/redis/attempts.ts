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
/** A timer that is later than this says nothing of the commands, which then have so long to be answered. */
const LATE_MS = 100;
/** Commands that failed for their time, and wait in the client yet. When there are so many, no more are sent to it. */
const MAX_OVERDUE = 1_000;

/**
 * A command that has no answer yet, in a list from the oldest to the newest. Not a `Set`: what one leaves behind as it goes
 * on holds on to answered commands until a full collection, thousands of them a second.
 */
interface Waiting {
  readonly sentMs: number;
  readonly fail: (cause: unknown) => void;
  older: Waiting | undefined;
  newer: Waiting | undefined;
  isOverdue: boolean;
}

/** Makes attempts that tell a contact of trouble. */
export function createAttempt(contact: Contact): Attempt {
  let oldest: Waiting | undefined;
  let newest: Waiting | undefined;
  let overdue = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueMs = 0;

  function add(entry: Waiting): void {
    entry.older = newest;
    if (newest === undefined) oldest = entry;
    else newest.newer = entry;
    newest = entry;
    if (timer === undefined) arm(TIMEOUT_MS);
  }

  function remove(entry: Waiting): void {
    if (entry.older === undefined) oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === undefined) newest = entry.older;
    else entry.newer.older = entry.older;
    entry.older = entry.newer = undefined;
  }

  function check(): void {
    timer = undefined;
    const nowMs = performance.now();
    // The process stood still: what was answered meanwhile is read after its timers.
    if (nowMs - dueMs > LATE_MS) return arm(LATE_MS);
    while (oldest !== undefined) {
      const entry = oldest;
      if (nowMs - entry.sentMs < TIMEOUT_MS) return arm(entry.sentMs + TIMEOUT_MS - nowMs);
      remove(entry);
      entry.isOverdue = true;
      overdue += 1;
      entry.fail(new Error(`No answer within ${TIMEOUT_MS} ms.`));
    }
  }

  function arm(delayMs: number): void {
    dueMs = performance.now() + delayMs;
    timer = setTimeout(check, delayMs);
    unrefTimer(timer);
  }

  function settle(entry: Waiting): void {
    if (entry.isOverdue) overdue -= 1;
    else remove(entry);
  }

  return (send) =>
    new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        contact.interrupt();
        reject(isResumableStreamError(cause) ? cause : unavailable(cause));
      };
      if (overdue >= MAX_OVERDUE) return fail(new Error(`${overdue} commands have had no answer yet.`));
      let sent: ReturnType<typeof send>;
      try {
        sent = send();
      } catch (cause) {
        return fail(cause);
      }
      const sentMs = performance.now();
      const entry: Waiting = { sentMs, fail, older: undefined, newer: undefined, isOverdue: false };
      add(entry);
      sent.then(
        (result) => {
          settle(entry);
          if (performance.now() - sentMs > SLOW_MS) contact.interrupt();
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
