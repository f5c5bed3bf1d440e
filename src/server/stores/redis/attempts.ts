/**
 * Commands as they may go wrong: late, or not at all. Each is bounded in time, its failure gets its name, and what it tells
 * of the contact to Redis is noted. One promise and one timer for all, since there may be thousands a second.
 */
import { isResumableStreamError, ResumableStreamError } from "../../../shared/errors.ts";
import { unrefTimer } from "../../timers.ts";
import type { Contact } from "./contact.ts";

/** Passes on what a command comes to. Throws `store-unavailable` when it fails, or takes too long. */
export type Attempt = <T>(command: Promise<T>) => Promise<T>;

/** A command that takes longer has failed: its caller sends it again, which does no harm. */
const TIMEOUT_MS = 3_000;
/** A command that takes longer tells of an outage, even if it was answered. */
const SLOW_MS = 500;

/** Makes attempts that tell a contact of trouble. */
export function createAttempt(contact: Contact): Attempt {
  /** In the order in which they were sent. */
  const waiting = new Set<{ readonly sentMs: number; readonly expire: () => void }>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function check(): void {
    timer = undefined;
    const nowMs = performance.now();
    for (const { sentMs, expire } of waiting) {
      if (nowMs - sentMs < TIMEOUT_MS) return arm(sentMs + TIMEOUT_MS - nowMs);
      expire();
    }
  }

  function arm(delayMs: number): void {
    timer = setTimeout(check, delayMs);
    unrefTimer(timer);
  }

  return (command) =>
    new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        waiting.delete(entry);
        contact.interrupt();
        reject(isResumableStreamError(cause) ? cause : unavailable(cause));
      };
      const entry = {
        sentMs: performance.now(),
        expire: () => fail(new Error(`No answer within ${TIMEOUT_MS} ms.`)),
      };
      waiting.add(entry);
      if (timer === undefined) arm(TIMEOUT_MS);
      command.then((result) => {
        waiting.delete(entry);
        if (performance.now() - entry.sentMs > SLOW_MS) contact.interrupt();
        resolve(result);
      }, fail);
    });
}

function unavailable(cause: unknown): ResumableStreamError {
  return new ResumableStreamError("store-unavailable", "Redis did not do what it was asked.", { cause });
}
