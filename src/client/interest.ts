/** Who wants something that costs a connection: it is taken up for the first, and let go a while after the last. */

/** Milliseconds after the last one left. */
export const LINGER_MS = 5_000;

/** Counts who wants it. */
export interface Interest {
  /** Somebody wants it from now on; returns what ends that. */
  want(): () => void;
  /** Whether somebody does, or did a moment ago. */
  isWanted(): boolean;
  /** Lets go at once; who wanted it before has no say any more. */
  release(): void;
}

/** Makes a count; `onChange` is called when it is taken up, and when it is let go. */
export function createInterest(onChange: (isWanted: boolean) => void): Interest {
  const wants = new Set<object>();
  let isWanted = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function release(): void {
    clearTimeout(timer);
    wants.clear();
    if (isWanted) onChange((isWanted = false));
  }

  return {
    release,
    isWanted: () => isWanted,
    want() {
      const mine = {};
      wants.add(mine);
      clearTimeout(timer);
      if (!isWanted) onChange((isWanted = true));
      return () => {
        if (wants.delete(mine) && wants.size === 0) timer = setTimeout(release, LINGER_MS);
      };
    },
  };
}
