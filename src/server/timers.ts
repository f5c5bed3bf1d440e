/** Lets a process end while a timer is pending. Only Node's timers can be told so; elsewhere nothing happens. */
export function unrefTimer(timer: unknown): void {
  if (typeof timer !== "object" || timer === null) return;
  if ("unref" in timer && typeof timer.unref === "function") timer.unref();
}

/** Resolves after so many milliseconds, or when the signal fires meanwhile. Keeps no process alive. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    unrefTimer(timer);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
    signal?.addEventListener("abort", done);
  });
}
