/** When what is known is shown: at most once a frame, a replay at most once in a while, an end at once. */

/** Milliseconds between two commits while a replay lasts. */
const REPLAY_MS = 250;
/** Where there are no frames, as in a hidden tab, a commit waits this long at most. */
const NO_FRAME_MS = 100;

/** Plans commits. */
export interface CommitSchedule {
  /** Commits now, in place of whatever was planned. */
  now(): void;
  /** Commits with the next frame. */
  frame(): void;
  /** Commits a while later; what comes sooner wins. */
  replay(): void;
  cancel(): void;
}

/** Makes a schedule. */
export function createCommitSchedule(commit: () => void): CommitSchedule {
  let planned: "frame" | "replay" | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let frame: number | undefined;

  function cancel(): void {
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
    planned = frame = undefined;
  }

  function now(): void {
    cancel();
    commit();
  }

  return {
    now,
    cancel,
    frame() {
      if (planned === "frame") return;
      cancel();
      planned = "frame";
      if (typeof requestAnimationFrame === "function") {
        frame = requestAnimationFrame(now);
        timer = setTimeout(now, NO_FRAME_MS);
      } else {
        timer = setTimeout(now, 16);
      }
    },
    replay() {
      if (planned !== undefined) return;
      planned = "replay";
      timer = setTimeout(now, REPLAY_MS);
    },
  };
}
