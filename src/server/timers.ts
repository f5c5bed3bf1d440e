/** Lets a process end while a timer is pending. Only Node's timers can be told so; elsewhere nothing happens. */
export function unrefTimer(timer: unknown): void {
  if (typeof timer !== "object" || timer === null) return;
  if ("unref" in timer && typeof timer.unref === "function") timer.unref();
}
