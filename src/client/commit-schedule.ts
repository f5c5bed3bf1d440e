/** When what is known is shown: at most once a frame, a replay at most once in a while, an end at once. */

/** Milliseconds between two commits while a replay lasts. */
const REPLAY_MS = 250;
/** Where there are no frames at all. */
const FRAME_MS = 16;
/** Where frames may not come, as in a hidden tab, a commit waits this long at most. */
const HIDDEN_MS = 100;

/** Plans commits. */
export interface CommitSchedule {
  /** Commits now, in place of whatever was planned. */
  now(): void;
  /** Commits with the next frame. */
  frame(): void;
  /** Commits a while later; what comes sooner wins. */
  replay(): void;
}

/** Makes a schedule. */
export function createCommitSchedule(commit: () => void): CommitSchedule {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let frame: number | undefined;
  let isSoon = false;

  function now(): void {
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
    timer = frame = undefined;
    isSoon = false;
    commit();
  }

  return {
    now,
    frame() {
      if (isSoon) return;
      isSoon = true;
      clearTimeout(timer);
      frame = globalThis.requestAnimationFrame?.(now);
      timer = setTimeout(now, frame === undefined ? FRAME_MS : HIDDEN_MS);
    },
    replay() {
      timer ??= setTimeout(now, REPLAY_MS);
    },
  };
}
