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

/** The signs of a web page; none where there is no page. */
export const pageWake: WakeSource = {
  isOnline: () => typeof navigator === "undefined" || navigator.onLine !== false,
  subscribe(listener) {
    // Some platforms have a window that tells nothing.
    if (typeof window === "undefined" || typeof window.addEventListener !== "function") return () => {};
    const stop = new AbortController();
    const on = (target: EventTarget, type: string, signal: () => WakeSignal): void =>
      target.addEventListener(type, () => listener(signal()), { signal: stop.signal });
    on(window, "online", () => "online");
    on(window, "offline", () => "offline");
    on(window, "pagehide", () => "hide");
    on(window, "pageshow", () => "visible");
    if (typeof document === "undefined") return () => stop.abort();
    on(document, "visibilitychange", () => (document.visibilityState === "hidden" ? "hidden" : "visible"));
    return () => stop.abort();
  },
};
