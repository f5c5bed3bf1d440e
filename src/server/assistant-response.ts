/** Responses of assistant streams, under the names that users of `assistant-stream/resumable` know. */
import {
  assistantStream,
  type AssistantMessage,
  type AssistantStreamChunk,
} from "../shared/protocols/assistant-stream/index.ts";
import { createAssistantStream, type AssistantStreamController } from "./assistant-stream/controller.ts";
import { eventStreamResponse, readCursor, wantsControl, withStreamId } from "./follow-response.ts";
import { errorResponse } from "./http-errors.ts";
import type { FinishedStream } from "./producer.ts";
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
  readonly streamId: string;
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

/** Said at the end of an answer whose callback returned: nothing else says that such an answer is whole. */
const END_OF_ANSWER = `data: ${assistantStream.endMarker}\n\n`;

/** Starts an assistant stream, or follows the one that has the id. Throws what `context.run` throws. */
export async function createResumableAssistantStreamResponse(
  options: CreateResumableAssistantStreamResponseOptions,
): Promise<Response> {
  const {
    context,
    streamId,
    callback,
    request,
    owner = null,
    thread,
    encoder: makeEncoder,
    headers,
    onFinish,
  } = options;
  if (makeEncoder !== undefined) {
    const encoder = makeEncoder();
    const body = await context.run(streamId, ({ signal }) =>
      createAssistantStream((controller) => callback(controller, signal)).pipeThrough(encoder),
    );
    return new Response(body, { headers: withStreamId(streamId, encoder.headers, headers) });
  }
  const body = await context.run(
    streamId,
    ({ signal }) => withEnd(createAssistantStream((controller) => callback(controller, signal))),
    {
      protocol: assistantStream,
      owner,
      thread,
      onFinish,
      control: request !== undefined && wantsControl(request),
      cursor: request === undefined ? "" : readCursor(request),
    },
  );
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

async function* withEnd(
  chunks: ReadableStream<AssistantStreamChunk>,
): AsyncGenerator<AssistantStreamChunk | string> {
  for await (const chunk of chunks) yield chunk;
  yield END_OF_ANSWER;
}
