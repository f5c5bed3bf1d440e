"use client";
import { useSyncExternalStore } from "react";

const never = (): (() => void) => () => {};

/** Whether what is rendered may differ from what the server rendered: false on the server and while hydrating. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
