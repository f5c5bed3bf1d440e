/** `rejoin/protocols/assistant-stream`: the default protocol, of assistant-ui's chunks and messages. */
import type { JsonValue } from "../../json/json-value.ts";
import type { StreamFold, StreamProtocol } from "../protocol.ts";
import { createAssistantStreamFold, type AssistantStreamFold } from "./fold.ts";
import type { AssistantMessage } from "./message.ts";

export { AssistantMessageAccumulator, type AssistantMessageAccumulatorOptions } from "./accumulator.ts";
export type {
  AssistantStreamChunk,
  FinishReason,
  PartInit,
  PartProviderMetadata,
  StateOperation,
  StreamUsage,
  ToolCallApproval,
  ToolModelContentPart,
} from "./chunks.ts";
export type {
  AssistantMessage,
  AssistantMessagePart,
  AssistantMessageStatus,
  AssistantMessageStep,
  DataPart,
  FilePart,
  ReasoningPart,
  SourcePart,
  TextPart,
  TextStatus,
  ToolCallPart,
  ToolCallStatus,
} from "./message.ts";
export type { JsonObject, JsonValue } from "../../json/json-value.ts";
export type { MessageOf, StreamFold, StreamProtocol } from "../protocol.ts";

/**
 * Chunks of an assistant stream, one JSON object a payload. The source is complete when it sent `message-finish`, an
 * `error` chunk that is no mere warning, or `[DONE]`.
 */
export const assistantStream: StreamProtocol<AssistantMessage> = {
  name: "assistant-stream",
  version: 1,
  endMarker: "[DONE]",
  fold: (snapshot?: JsonValue): AssistantStreamFold => createAssistantStreamFold(snapshot),
  isComplete: (fold) => isAssistantStreamFold(fold) && fold.isComplete(),
};

function isAssistantStreamFold(fold: StreamFold<AssistantMessage>): fold is AssistantStreamFold {
  return "isComplete" in fold;
}
