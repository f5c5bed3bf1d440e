/**
 * Since when this process has heard from Redis without a break. Whoever was out of touch cannot know whether a producer was
 * too, so a lapsed lease is held against it only after a lease's time of unbroken contact. A process that stood still, or
 * slept with its machine, was out of touch, and is the last to notice: so it looks at its clocks all the while.
 */
import { unrefTimer } from "../../timers.ts";

export interface Contact {
  /** The connection for listening was established. */
  begin(): void;
  /** The connection for listening was lost, or closed. */
  end(): void;
  /** Something failed, or took too long: the time begins anew. */
  interrupt(): void;
  /** Milliseconds until a producer with such a lease may be declared lost; 0 when it may. */
  patienceMs(leaseMs: number): number;
}

const LOOK_EVERY_MS = 500;
/** Clocks that differ by more than this since the last look: the process was not there meanwhile. */
const SLEPT_MS = 1_500;

/** Makes a contact that has not begun. */
export function createContact(): Contact {
  let sinceMs: number | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let lookedMs = 0;
  let wallMs = 0;

  function interrupt(): void {
    if (sinceMs !== undefined) sinceMs = performance.now();
  }

  /** The first clock stands still while a machine sleeps, the second does not. */
  function look(): void {
    const nowMs = performance.now();
    const nowWallMs = Date.now();
    const isAsleep =
      nowMs - lookedMs > SLEPT_MS || Math.abs(nowWallMs - wallMs - (nowMs - lookedMs)) > SLEPT_MS;
    lookedMs = nowMs;
    wallMs = nowWallMs;
    if (isAsleep) interrupt();
  }

  return {
    begin() {
      clearInterval(timer);
      timer = setInterval(look, LOOK_EVERY_MS);
      unrefTimer(timer);
      look();
      sinceMs = performance.now();
    },
    end() {
      clearInterval(timer);
      sinceMs = undefined;
    },
    interrupt,
    patienceMs(leaseMs) {
      if (sinceMs === undefined) return leaseMs;
      look();
      return Math.max(0, sinceMs + leaseMs - performance.now());
    },
  };
}
