/** Responses of assistant streams, under the names that users of `assistant-stream/resumable` know. */
import {
  assistantStream,
  type AssistantMessage,
  type AssistantStreamChunk,
} from "../shared/protocols/assistant-stream/index.ts";
import { createAssistantStream, type AssistantStreamController } from "./assistant-stream/controller.ts";
import {
  eventStreamResponse,
  readCursor,
  readStreamId,
  wantsControl,
  withStreamId,
} from "./follow-response.ts";
import { errorResponse, responseOfError } from "./http-errors.ts";
import type { FinishedStream } from "./producer.ts";
import type { SourceContext } from "./source.ts";
import type { ResumableStreamContext } from "./stream-context.ts";

/** Turns chunks into bytes, with the headers that go with them: what `assistant-stream`'s encoders are. */
export interface AssistantStreamEncoder extends ReadableWritablePair<
  Uint8Array<ArrayBuffer>,
  AssistantStreamChunk
> {
  readonly headers?: Headers | undefined;
}

/** Options of {@link createResumableAssistantStreamResponse}. */
export interface CreateResumableAssistantStreamResponseOptions {
  readonly context: ResumableStreamContext;
  /** By default the id that the client sent: `readStreamId(request)`. */
  readonly streamId?: string;
  /** Writes the answer. Called once for a stream id; when it throws the stream ends as an `error` with a public text. */
  readonly callback: (controller: AssistantStreamController, signal: AbortSignal) => PromiseLike<void> | void;
  /** The request, for its position and whether it asks for control events. */
  readonly request?: Request;
  /** Whom the stream belongs to; `null` by default. */
  readonly owner?: string | null;
  /** The app's own key. */
  readonly thread?: string;
  /** Makes a stream of bytes in this encoding in place of a stream of events: it can only be read from its start. */
  readonly encoder?: () => AssistantStreamEncoder;
  /** More headers. The stream id's cannot be overridden. */
  readonly headers?: HeadersInit;
  /** Called once with the answer to save. Not for a stream of bytes, whose message nobody knows. */
  readonly onFinish?: (finished: FinishedStream<AssistantMessage>) => unknown;
}

/**
 * Starts an assistant stream, or follows the one that has the id. With a `request` errors are responses, as in
 * `docs/PROTOCOL.md`; without one it throws what `context.run` throws.
 */
export async function createResumableAssistantStreamResponse(
  options: CreateResumableAssistantStreamResponseOptions,
): Promise<Response> {
  if (options.request === undefined) return startAssistantStream(options);
  try {
    return await startAssistantStream(options);
  } catch (error) {
    return responseOfError(error);
  }
}

async function startAssistantStream(
  options: CreateResumableAssistantStreamResponseOptions,
): Promise<Response> {
  const {
    context,
    callback,
    request,
    owner = null,
    thread,
    encoder: makeEncoder,
    headers,
    onFinish,
  } = options;
  const streamId = options.streamId ?? readStreamId(request ?? new Request("http://localhost"));
  const source = ({ signal }: SourceContext): ReadableStream<AssistantStreamChunk> =>
    createAssistantStream((controller) => callback(controller, signal));
  if (makeEncoder !== undefined) {
    const encoder = makeEncoder();
    const body = await context.run(streamId, (sourceContext) => source(sourceContext).pipeThrough(encoder));
    return new Response(body, { headers: withStreamId(streamId, encoder.headers, headers) });
  }
  const body = await context.run(streamId, source, {
    protocol: assistantStream,
    owner,
    thread,
    onFinish,
    control: request !== undefined && wantsControl(request),
    cursor: request === undefined ? "" : readCursor(request),
  });
  return eventStreamResponse(streamId, body, headers);
}

/** Options of {@link createResumeAssistantStreamResponse}. */
export interface CreateResumeAssistantStreamResponseOptions {
  readonly context: ResumableStreamContext;
  readonly streamId: string;
  /** Where to read from; the start by default. */
  readonly cursor?: string;
  /** Whether the response has control events; false by default. */
  readonly control?: boolean;
  /** Gives the headers of a stream of bytes; the bytes are those that were written. */
  readonly encoder?: () => AssistantStreamEncoder;
  readonly headers?: HeadersInit;
  /** The response for a stream that is not there; a 404 of the wire by default. */
  readonly missingResponse?: () => Response;
}

/** Follows an assistant stream. Whether the caller may is the app's to decide before. */
export async function createResumeAssistantStreamResponse(
  options: CreateResumeAssistantStreamResponseOptions,
): Promise<Response> {
  const { context, streamId, cursor, control, encoder, headers, missingResponse } = options;
  const body = await context.resume(streamId, { cursor, control });
  if (body === null) return missingResponse?.() ?? errorResponse("missing");
  if (encoder !== undefined)
    return new Response(body, { headers: withStreamId(streamId, encoder().headers, headers) });
  return eventStreamResponse(streamId, body, headers);
}
