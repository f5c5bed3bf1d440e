/** The pace at which the built-in model writes. */
import { setTimeout as sleep } from "node:timers/promises";

/** A metronome. */
export interface Pace {
  /** Resolves when the next token, or the one after so many, is due. Rejects at once when the signal fires. */
  next(tokens?: number): Promise<void>;
}

/** Makes a pace that keeps its mean: a timer that fires late is made up for. */
export function createPace(tokensPerSecond: number, signal: AbortSignal): Pace {
  const startedAt = performance.now();
  let due = 0;
  return {
    async next(tokens = 1) {
      signal.throwIfAborted();
      due += tokens;
      const waitMs = startedAt + (due * 1000) / tokensPerSecond - performance.now();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal });
    },
  };
}

/** A text in the pieces that a language model writes: words, the longer ones in several, with the white space before. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*(?:[\p{L}\p{M}\p{N}]{1,4}|[^\p{L}\p{M}\p{N}\s]{1,2})|\s+/gu) ?? [];
}
