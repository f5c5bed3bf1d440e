/**
 * Since when this process has heard from Redis without a break. Whoever was out of touch cannot know whether a producer was
 * too, so a lapsed lease is held against it only after a lease's time of unbroken contact.
 */
export interface Contact {
  /** The connection for listening was established. */
  begin(): void;
  /** The connection for listening was lost, or closed. */
  end(): void;
  /** Something failed, took too long, or this process slept: the time begins anew. */
  interrupt(): void;
  /** Milliseconds until a producer with such a lease may be declared lost; 0 when it may. */
  patienceMs(leaseMs: number): number;
}

/** Makes a contact that has not begun. */
export function createContact(): Contact {
  let sinceMs: number | undefined;
  return {
    begin() {
      sinceMs = performance.now();
    },
    end() {
      sinceMs = undefined;
    },
    interrupt() {
      if (sinceMs !== undefined) sinceMs = performance.now();
    },
    patienceMs: (leaseMs) =>
      sinceMs === undefined ? leaseMs : Math.max(0, sinceMs + leaseMs - performance.now()),
  };
}
