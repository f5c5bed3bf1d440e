/** `rejoin/server`: what an app's server needs. */
export { ResumableStreamError, type ResumableStreamErrorCode } from "../shared/errors.ts";
export { STREAM_ID_HEADER as RESUMABLE_STREAM_ID_HEADER } from "../shared/wire.ts";
export type {
  ErrorBody,
  PublicError,
  StreamStatus,
  StreamStatusBody,
  ThreadStreamBody,
} from "../shared/wire.ts";
export type { MessageOf, StreamFold, StreamProtocol } from "../shared/protocols/protocol.ts";
export {
  createResumableAssistantStreamResponse,
  createResumeAssistantStreamResponse,
  type AssistantStreamEncoder,
  type CreateResumableAssistantStreamResponseOptions,
  type CreateResumeAssistantStreamResponseOptions,
} from "./assistant-response.ts";
export {
  createAssistantStream,
  createAssistantStreamController,
  type AssistantStreamController,
  type TextStreamController,
  type ToolCallPartInit,
  type ToolCallStreamController,
} from "./assistant-stream/controller.ts";
export { ToolResponse, type ToolResponseLike } from "./assistant-stream/tool-response.ts";
export { toolResultStream, type Tool, type ToolExecutionContext } from "./assistant-stream/tool-results.ts";
export type { SourceChunk } from "./event-framing.ts";
export { readStreamId } from "./follow-response.ts";
export {
  createResumableStreamHandler,
  type AuthorizeVerdict,
  type ResumableStreamHandler,
  type ResumableStreamHandlerOptions,
  type StreamAccess,
} from "./handler.ts";
export type { FinishedStream } from "./producer.ts";
export type { MakeSource, SourceContext, StreamSource } from "./source.ts";
export {
  createResumableStreamResponse,
  type CreateResumableStreamResponseOptions,
} from "./start-response.ts";
export {
  createResumableStreamContext,
  type ResumableStreamContext,
  type ResumableStreamContextOptions,
  type ResumeOptions,
  type RunEventsOptions,
} from "./stream-context.ts";
export {
  createInMemoryResumableStreamStore,
  type InMemoryResumableStreamStore,
  type InMemoryResumableStreamStoreOptions,
} from "./stores/memory.ts";
export type { RedisResumableStreamStoreOptions } from "./stores/redis/redis-store.ts";
export type {
  AppendVerdict,
  EntryPayload,
  EventStreamStore,
  FollowItem,
  LeaseLoss,
  ResumableStreamAcquireOptions,
  ResumableStreamAcquisition,
  ResumableStreamEntry,
  ResumableStreamLease,
  ResumableStreamRole,
  ResumableStreamStatus,
  ResumableStreamStore,
  StoredEnd,
  StoredError,
  StreamLimits,
  StreamOpening,
  StreamOpenOptions,
  StreamRecord,
} from "./stores/stream-store.ts";
