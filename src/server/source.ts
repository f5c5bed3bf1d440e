/** What an app may hand over as the source of a stream, and one way to read it. */
import { ResumableStreamError } from "../shared/errors.ts";
import type { SourceChunk } from "./event-framing.ts";

/** What a source is told. */
export interface SourceContext {
  /** Fires when nobody wants the rest: the stream was stopped, deleted, taken over, or hit a limit. Pass it to the model. */
  readonly signal: AbortSignal;
  readonly streamId: string;
}

/** A source: a stream or an async iterable of chunks, or a `Response` whose body is one. */
export type StreamSource<TChunk = SourceChunk> = ReadableStream<TChunk> | AsyncIterable<TChunk> | Response;

/** Starts a source. Called once, only in the process that became the producer. */
export type MakeSource<TChunk = SourceChunk> = (
  context: SourceContext,
) => StreamSource<TChunk> | Promise<StreamSource<TChunk>>;

/** Reads a source; `cancel` lets go of it and settles a read that waits. */
export interface SourceReader {
  read(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  cancel(reason: unknown): Promise<void>;
}

/** Opens a source for reading. Throws `source-failed` where there is nothing to read, or a response is not `ok`. */
export function openSource(source: StreamSource<unknown>): SourceReader {
  if (source instanceof Response) {
    if (source.ok && source.body !== null) return readerOf(source.body);
    void source.body?.cancel().catch(() => {});
    throw new ResumableStreamError(
      "source-failed",
      `The source answered ${source.status} ${source.statusText}.`.trim(),
    );
  }
  if (source instanceof ReadableStream) return readerOf(source);
  if (typeof source === "object" && source !== null && Symbol.asyncIterator in source)
    return iteratorOf(source);
  throw new ResumableStreamError(
    "source-failed",
    "A source must be a ReadableStream, an async iterable or a Response; return one from the function that makes it.",
  );
}

function readerOf(stream: ReadableStream<unknown>): SourceReader {
  const reader = stream.getReader();
  return {
    read: () => reader.read(),
    async cancel(reason) {
      await reader.cancel(reason);
      reader.releaseLock();
    },
  };
}

function iteratorOf(iterable: AsyncIterable<unknown>): SourceReader {
  const iterator = iterable[Symbol.asyncIterator]();
  return {
    read: () => iterator.next(),
    async cancel() {
      await iterator.return?.();
    },
  };
}
