/** Events that come when they are due, as a model's do. */

/** A source that is written to from outside. */
export interface PushSource {
  push(chunk: string): void;
  end(): void;
  readonly chunks: AsyncIterable<string>;
}

const END: IteratorResult<string> = { done: true, value: undefined };

/** Makes a source; what nobody has taken yet waits. */
export function createPushSource(): PushSource {
  const waiting: string[] = [];
  let ended = false;
  let wanted: ((result: IteratorResult<string>) => void) | undefined;
  return {
    push(chunk) {
      const give = wanted;
      wanted = undefined;
      if (give === undefined) waiting.push(chunk);
      else give({ done: false, value: chunk });
    },
    end() {
      ended = true;
      wanted?.(END);
    },
    chunks: {
      [Symbol.asyncIterator]: () => ({
        next() {
          const chunk = waiting.shift();
          if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk });
          if (ended) return Promise.resolve(END);
          return new Promise((resolve) => {
            wanted = resolve;
          });
        },
      }),
    },
  };
}

/**
 * Calls `emit` at an even pace, for each of `lanes` in turn; late calls are made up for. Resolves after the last one.
 *
 * @param perSecond calls a second, of all lanes together
 */
export function pace(
  perSecond: number,
  total: number,
  lanes: number,
  emit: (lane: number) => void,
): Promise<void> {
  const startMs = performance.now();
  let done = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1_000) * perSecond));
      for (; done < due; done += 1) emit(done % lanes);
      if (done < total) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A text delta of the default protocol, as SSE, that says when it was made. */
export function stampedEvent(stamped: string): string {
  return `data: {"type":"text-delta","path":[0],"textDelta":" at:${stamped} and a word"}\n\n`;
}

/** The part that text deltas add to, as SSE. */
export const TEXT_START = 'data: {"type":"part-start","path":[],"part":{"type":"text"}}\n\n';
/** The end that makes an answer complete, as SSE. */
export const FINISH =
  'data: {"type":"message-finish","path":[],"finishReason":"stop","usage":{"inputTokens":1,"outputTokens":1}}\n\n';

/** The stamps in a text, in order. */
export function stampsIn(text: string): string[] {
  return Array.from(text.matchAll(/at:(\d+)/g), ([, stamped]) => stamped ?? "");
}
