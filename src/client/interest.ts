/** Who wants something that costs a connection: it is taken up for the first, and let go a while after the last. */

import { callSafely } from "./call-safely.ts";

/** Milliseconds after the last one left. */
export const LINGER_MS = 5_000;

/** Counts who wants it. */
export interface Interest {
  /** Somebody wants it from now on, and perhaps to be told of changes; returns what ends that. */
  want(listener?: () => void): () => void;
  /** Tells those who want to be told. */
  tell(): void;
  /** Whether somebody does, or did a moment ago. */
  isWanted(): boolean;
  /** Lets go at once; who wanted it before has no say any more. */
  release(): void;
}

/** Makes a count; `onChange` is called when it is taken up, and when it is let go. */
export function createInterest(onChange: (isWanted: boolean) => void): Interest {
  const wants = new Set<{ readonly listener: (() => void) | undefined }>();
  let isWanted = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function release(): void {
    clearTimeout(timer);
    if (isWanted) onChange((isWanted = false));
    wants.clear();
  }

  return {
    release,
    isWanted: () => isWanted,
    tell() {
      for (const { listener } of wants) void callSafely(() => listener?.());
    },
    want(listener) {
      const mine = { listener };
      wants.add(mine);
      clearTimeout(timer);
      if (!isWanted) onChange((isWanted = true));
      return () => {
        if (wants.delete(mine) && wants.size === 0) timer = setTimeout(release, LINGER_MS);
      };
    },
  };
}
