/** What happens to a page from outside, as its browser tells it. */
import { act } from "@testing-library/react";
import { vi } from "vitest";

function tell(target: EventTarget, type: string): void {
  act(() => void target.dispatchEvent(new Event(type)));
}

/** The network goes, or comes back; without a word of it where the page is not there yet. */
export function setOnline(isOnline: boolean, { silently = false } = {}): void {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(isOnline);
  if (!silently) tell(window, isOnline ? "online" : "offline");
}

/** The tab is looked at, or is not. */
export function setVisible(isVisible: boolean): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(isVisible ? "visible" : "hidden");
  tell(document, "visibilitychange");
}

/** The page is left, perhaps for good. */
export function leavePage(): void {
  tell(window, "pagehide");
}

/** The page that was left is shown again, as it was. */
export function comeBack(): void {
  tell(window, "pageshow");
}

/** The machine sleeps: its clock goes on, and no timer does. */
export function sleep(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}
