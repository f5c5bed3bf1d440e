/**
 * A network that can be cut: for visitors who want to see what happens, on a phone too. The cut is real: responses that
 * are being read break off, and their connections are closed; requests fail until the network is restored.
 */

/** A `fetch` with a switch. */
export interface NetworkSwitch {
  readonly fetch: typeof globalThis.fetch;
  readonly isCut: () => boolean;
  readonly cut: () => void;
  readonly restore: () => void;
  /** Calls `listener` when the switch was turned. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** Puts a switch before a `fetch`. */
export function createNetworkSwitch(fetch: typeof globalThis.fetch): NetworkSwitch {
  const listeners = new Set<() => void>();
  let line = new AbortController();

  function turn(change: () => void): void {
    change();
    for (const listener of listeners) listener();
  }

  return {
    async fetch(input, init) {
      const { signal } = line;
      if (signal.aborted) throw new TypeError("The network is cut");
      const own = init?.signal;
      const signals = own === undefined || own === null ? [signal] : [signal, own];
      try {
        return await fetch(input, { ...init, signal: AbortSignal.any(signals) });
      } catch (error) {
        if (signal.aborted) throw new TypeError("The network was cut", { cause: error });
        throw error;
      }
    },
    isCut: () => line.signal.aborted,
    cut() {
      if (!line.signal.aborted) turn(() => line.abort(new TypeError("The network was cut")));
    },
    restore() {
      if (line.signal.aborted) turn(() => (line = new AbortController()));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
