/** A source that a test writes by hand, and can watch. */
import type { SourceContext } from "../../src/server/source.ts";

export interface ScriptedSource<TChunk> {
  /** Pass this as the source. */
  readonly make: (context: SourceContext) => ReadableStream<TChunk>;
  /** How often the source was started. */
  starts(): number;
  /** The signal of the last start. */
  signal(): AbortSignal | undefined;
  /** Whether the stream was cancelled. */
  cancelled(): boolean;
  write(...chunks: TChunk[]): void;
  end(): void;
  fail(error: unknown): void;
}

export function scriptedSource<TChunk = string>(): ScriptedSource<TChunk> {
  let starts = 0;
  let signal: AbortSignal | undefined;
  let cancelled = false;
  let controller: ReadableStreamDefaultController<TChunk> | undefined;
  const pending: ((c: ReadableStreamDefaultController<TChunk>) => void)[] = [];
  const act = (action: (c: ReadableStreamDefaultController<TChunk>) => void): void => {
    if (controller === undefined) pending.push(action);
    else action(controller);
  };
  return {
    make(context) {
      starts += 1;
      signal = context.signal;
      return new ReadableStream<TChunk>({
        start(c) {
          controller = c;
          for (const action of pending.splice(0)) action(c);
        },
        cancel() {
          cancelled = true;
        },
      });
    },
    starts: () => starts,
    signal: () => signal,
    cancelled: () => cancelled,
    write: (...chunks) => act((c) => chunks.forEach((chunk) => c.enqueue(chunk))),
    end: () => act((c) => c.close()),
    fail: (error) => act((c) => c.error(error)),
  };
}
