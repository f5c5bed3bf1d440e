/** TanStack's managers as a wake source, so that an app which sets them up, as React Native apps do, need not do it twice. */
import { focusManager, onlineManager } from "@tanstack/react-query";
import { pageWake, type WakeSource } from "../wake.ts";

/** Signs of TanStack's managers, and of a page what they do not know: that it goes away. */
export const tanstackWake: WakeSource = {
  // The manager believes that it is online until told otherwise; a page that was opened offline knows better.
  isOnline: () => onlineManager.isOnline() && pageWake.isOnline(),
  subscribe(listener) {
    const stops = [
      onlineManager.subscribe((online) => listener(online ? "online" : "offline")),
      focusManager.subscribe((focused) => focused && listener("visible")),
      // Also its online: a manager that took a page for online which was opened offline has no change to tell.
      pageWake.subscribe(listener),
    ];
    return () => stops.forEach((stop) => stop());
  },
};
