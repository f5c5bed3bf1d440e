import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

/** Pixels from the bottom within which a reader counts as reading along. */
const NEAR = 72;

/** What {@link useStickToBottom} returns. */
export interface StickToBottom {
  /** Whether the reader went up: then the page stays where it is. */
  readonly isAway: boolean;
  /** Goes to the bottom, and stays there. */
  readonly toBottom: () => void;
}

/** Keeps the page at its bottom while content grows, but only for a reader who is there. */
export function useStickToBottom(content: RefObject<HTMLElement | null>): StickToBottom {
  const isStuck = useRef(true);
  const [isAway, setAway] = useState(false);

  const toBottom = useCallback(() => {
    isStuck.current = true;
    setAway(false);
    scrollToEnd();
  }, []);

  useLayoutEffect(() => {
    const element = content.current;
    if (element === null) return undefined;
    // Where the browser puts a reloaded page is where its content was, not where its reader is.
    history.scrollRestoration = "manual";
    const observer = new ResizeObserver(() => {
      if (isStuck.current) scrollToEnd();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [content]);

  useEffect(() => {
    let lastTop = window.scrollY;
    const onScroll = (): void => {
      const top = window.scrollY;
      const isNear = document.documentElement.scrollHeight - top - window.innerHeight < NEAR;
      // Growth moves nobody up: only a reader does.
      if (isNear) isStuck.current = true;
      else if (top < lastTop) isStuck.current = false;
      lastTop = top;
      setAway(!isStuck.current);
    };
    window.addEventListener("scroll", onScroll, { passive: true });
    return () => window.removeEventListener("scroll", onScroll);
  }, []);

  return { isAway, toBottom };
}

function scrollToEnd(): void {
  window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
}
