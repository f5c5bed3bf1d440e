/** What tells a session that a request may work again, or that the page goes away. */

/** A sign from outside. */
export type WakeSignal =
  | "online"
  | "offline"
  /** The page is looked at again, or came back from the back-forward cache. */
  | "visible"
  /** The page is not looked at: a moment to store what is known. */
  | "hidden"
  /** The page goes away, perhaps into the back-forward cache, where it must not hold a connection. */
  | "hide";

/** Where the signs come from. An app of another kind than a web page gives its own. */
export interface WakeSource {
  /** Whether a request has a chance. */
  isOnline(): boolean;
  /** Calls `listener` for each sign; returns what ends that. */
  subscribe(listener: (signal: WakeSignal) => void): () => void;
}

/** What a page's window tells, and what that means. */
const WINDOW_SIGNALS = {
  online: "online",
  offline: "offline",
  pagehide: "hide",
  pageshow: "visible",
} as const;

/** The signs of a web page; none where there is no page, or one that tells nothing. */
export const pageWake: WakeSource = {
  isOnline: () => globalThis.navigator?.onLine !== false,
  subscribe(listener) {
    const stop = new AbortController();
    for (const [type, signal] of Object.entries(WINDOW_SIGNALS))
      globalThis.window?.addEventListener?.(type, () => listener(signal), stop);
    globalThis.document?.addEventListener?.(
      "visibilitychange",
      () => listener(document.visibilityState),
      stop,
    );
    return () => stop.abort();
  },
};
