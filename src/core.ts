/** `rejoin/core`: the client without React. */
export {
  isResumableStreamError,
  ResumableStreamError,
  type ResumableStreamErrorCode,
  type StreamErrorCode,
} from "./shared/errors.ts";
export type { EndStatus, PublicError, StreamEnd, StreamStatus } from "./shared/wire.ts";
export type { JsonValue } from "./shared/json/json-value.ts";
export type { MessageOf, StreamFold, StreamProtocol } from "./shared/protocols/protocol.ts";
export { isCheckpointKey, type CheckpointStore } from "./client/checkpoints/checkpoint-store.ts";
export { memoryCheckpoints, type MemoryCheckpoints } from "./client/checkpoints/memory.ts";
export { clearCheckpoints } from "./client/checkpoints/checkpoint-area.ts";
export {
  sessionStorageCheckpoints,
  type SessionStorageCheckpointsOptions,
} from "./client/checkpoints/session-storage.ts";
export { RequestError } from "./client/client-error.ts";
export type { Failure } from "./client/failure.ts";
export type { ClientStatus } from "./client/connection.ts";
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
export type {
  FinishedStream,
  StreamSession,
  StreamSessionOptions,
  StreamSessionState,
} from "./client/session-contract.ts";
export { createStreamSession } from "./client/stream-session.ts";
export type { StreamEventInfo, StreamEventListener } from "./client/side-effects.ts";
export { pageWake, type WakeSignal, type WakeSource } from "./client/wake.ts";
