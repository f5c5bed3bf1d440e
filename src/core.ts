/** `rejoin/core`: the client without React. */
export {
  ResumableStreamError,
  type ResumableStreamErrorCode,
  type StreamErrorCode,
} from "./shared/errors.ts";
export type { EndStatus, PublicError, StreamEnd, StreamStatus } from "./shared/wire.ts";
export type { JsonValue } from "./shared/json/json-value.ts";
export type { MessageOf, StreamFold, StreamProtocol } from "./shared/protocols/protocol.ts";
export type { CheckpointStore } from "./client/checkpoints/checkpoint-store.ts";
export { memoryCheckpoints, type MemoryCheckpoints } from "./client/checkpoints/memory.ts";
export {
  clearCheckpoints,
  sessionStorageCheckpoints,
  type SessionStorageCheckpointsOptions,
} from "./client/checkpoints/session-storage.ts";
export { RequestError } from "./client/client-error.ts";
export type { ClientStatus, Failure } from "./client/session-state.ts";
export { createStreamId } from "./shared/stream-id.ts";
export { startStream, type StartStreamRequest } from "./client/start-stream.ts";
export {
  createStreamClient,
  type ActiveStream,
  type StartRequest,
  type StreamClient,
  type StreamClientOptions,
} from "./client/stream-client.ts";
export type { Lazy, RequestOptions } from "./client/stream-request.ts";
export {
  createStreamSession,
  type StreamEventInfo,
  type StreamEventListener,
  type StreamSession,
  type StreamSessionOptions,
  type StreamSessionState,
} from "./client/stream-session.ts";
export { pageWake, type WakeSignal, type WakeSource } from "./client/wake.ts";
