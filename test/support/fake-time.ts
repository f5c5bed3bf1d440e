/** Time that stands still until a test lets it pass. */
import { vi } from "vitest";

/** Milliseconds of a frame. */
export const FRAME_MS = 16;

/**
 * Turns of the event loop in which whatever needs no time is over: a request, its answer, and what a component makes of
 * it. All of it happens in this process, so the turns are the same in every run.
 */
const TURNS = 12;

/** Holds the clock, timers and frames. What is no matter of time goes on: promises, messages, streams, React's own work. */
export function holdTime(): void {
  vi.useFakeTimers({
    now: new Date("2026-03-01T12:00:00Z"),
    toFake: [
      "Date",
      "performance",
      "setTimeout",
      "clearTimeout",
      "setInterval",
      "clearInterval",
      "requestAnimationFrame",
      "cancelAnimationFrame",
    ],
  });
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass, frame by frame, with all that happens meanwhile. */
export async function pass(ms: number = FRAME_MS): Promise<void> {
  await settle();
  for (let left = ms; left > 0; left -= FRAME_MS) {
    vi.advanceTimersByTime(Math.min(left, FRAME_MS));
    await settle();
  }
}
