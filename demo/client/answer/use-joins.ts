import type { ClientStatus } from "rejoin";
import { useLayoutEffect, useRef, useState, type RefObject } from "react";

/** A place where an answer was cut, and went on. */
export interface Join {
  /** Pixels from the answer's top. */
  readonly top: number;
  readonly after: "reload" | "cut";
}

/** Where an answer was joined again since this page was loaded. */
export function useJoins(
  status: ClientStatus,
  hasText: boolean,
  body: RefObject<HTMLElement | null>,
): readonly Join[] {
  const [joins, setJoins] = useState<readonly Join[]>([]);
  /** Where the text ended when the connection did. */
  const loose = useRef<Join | null>(null);
  const isFirst = useRef(true);

  useLayoutEffect(() => {
    const top = body.current?.offsetHeight ?? 0;
    // Text that is there before any request was answered was read before the reload.
    if (
      isFirst.current &&
      hasText &&
      (status === "idle" || status === "connecting" || status === "offline")
    ) {
      loose.current = { top, after: "reload" };
    }
    isFirst.current = false;

    if (status === "reconnecting" || (status === "offline" && hasText)) {
      loose.current ??= { top, after: "cut" };
    } else if (loose.current !== null && isJoined(status)) {
      const join = loose.current;
      loose.current = null;
      setJoins((others) => [...others, join]);
    }
  }, [status, hasText, body]);

  return joins;
}

function isJoined(status: ClientStatus): boolean {
  return status === "replaying" || status === "streaming" || status === "done";
}
