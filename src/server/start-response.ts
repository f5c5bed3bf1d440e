/** The response to the request that starts a stream of events. */
import type { StreamProtocol } from "../shared/protocols/protocol.ts";
import type { SourceChunk } from "./event-framing.ts";
import { eventStreamResponse, readCursor, readStreamId, wantsControl } from "./follow-response.ts";
import { responseOfError } from "./http-errors.ts";
import type { FinishedStream } from "./producer.ts";
import type { MakeSource } from "./source.ts";
import { assertOwner, type ResumableStreamContext } from "./stream-context.ts";

/** Options of {@link createResumableStreamResponse}. */
export interface CreateResumableStreamResponseOptions<TMessage> {
  readonly request: Request;
  readonly context: ResumableStreamContext;
  /** By default the id that the client sent: `readStreamId(request)`. */
  readonly streamId?: string;
  /** Whom the stream belongs to: an id of the app's own, or an explicit `null`. A repeated request of another is a 404. */
  readonly owner: string | null;
  /** The language of the source's payloads. */
  readonly protocol: StreamProtocol<TMessage>;
  /**
   * Starts the model. Called once for a stream id, however often the request comes. What it yields: SSE as bytes or text,
   * cut anywhere, or objects, each a payload. It must end as its protocol ends, or the stream is `source-incomplete`.
   */
  readonly source: MakeSource<SourceChunk>;
  /** The app's own key, such as a chat's id: `GET <base>/?thread=KEY` finds its newest stream. */
  readonly thread?: string;
  /** Where the stream ended as `producer-lost`: run the source again, as a new generation. */
  readonly takeover?: boolean;
  /** More headers. The stream id's cannot be overridden. */
  readonly headers?: HeadersInit;
  /** Called once, where the source ran, with the answer to save, whoever is or is not connected. */
  readonly onFinish?: (finished: FinishedStream<TMessage>) => unknown;
}

/**
 * Starts a stream and follows it; a repeated request of the same id only follows. Errors are responses, as in
 * `docs/PROTOCOL.md`; nothing is thrown but a `TypeError` for a missing `owner`.
 */
export async function createResumableStreamResponse<TMessage>(
  options: CreateResumableStreamResponseOptions<TMessage>,
): Promise<Response> {
  const { request, context, owner, protocol, source, thread, takeover, onFinish } = options;
  assertOwner(owner);
  try {
    const streamId = options.streamId ?? readStreamId(request);
    const body = await context.run(streamId, source, {
      owner,
      protocol,
      thread,
      takeover,
      onFinish,
      control: wantsControl(request),
      cursor: readCursor(request),
    });
    return eventStreamResponse(streamId, body, options.headers);
  } catch (error) {
    return responseOfError(error);
  }
}
