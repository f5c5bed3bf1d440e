/**
 * The message that an assistant stream folds into, in the shape that users of `assistant-stream` know. Different on
 * purpose: nothing here reads the clock, so there are no timings, and `content`, the old name of `parts`, is gone.
 */
import type { JsonObject, JsonValue } from "../../json/json-value.ts";
import type {
  FinishReason,
  PartProviderMetadata,
  StreamUsage,
  ToolCallApproval,
  ToolModelContentPart,
} from "./chunks.ts";

/** A part that was begun and did not end well. */
export interface IncompleteStatus {
  readonly type: "incomplete";
  readonly reason: "cancelled" | "length" | "content-filter" | "other";
}

/** Where a text is. */
export type TextStatus =
  | { readonly type: "running" }
  | { readonly type: "complete"; readonly reason: "stop" | "unknown" }
  | IncompleteStatus;

/** A piece of the answer, in Markdown as a rule. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
  readonly status: TextStatus;
  readonly providerMetadata?: PartProviderMetadata;
  readonly parentId?: string;
}

/** What the model thought on the way. */
export interface ReasoningPart {
  readonly type: "reasoning";
  readonly text: string;
  readonly status: TextStatus;
  readonly providerMetadata?: PartProviderMetadata;
  readonly unstable_summary?: string;
  readonly parentId?: string;
}

/** Where a tool call is. */
export type ToolCallStatus =
  | { readonly type: "running"; readonly isArgsComplete: boolean }
  | { readonly type: "requires-action"; readonly reason: "tool-call-result" }
  | { readonly type: "complete"; readonly reason: "stop" | "unknown" }
  | IncompleteStatus;

/** A tool call: its arguments as they come, then its result. */
export interface ToolCallPart {
  readonly type: "tool-call";
  /** Arguments are being written; they are whole; there is a result. */
  readonly state: "partial-call" | "call" | "result";
  readonly status: ToolCallStatus;
  readonly toolCallId: string;
  readonly toolName: string;
  /** The arguments as the model wrote them so far. */
  readonly argsText: string;
  /** The arguments as far as they can be read. */
  readonly args: JsonObject;
  readonly approval?: ToolCallApproval;
  readonly artifact?: JsonValue;
  readonly result?: JsonValue;
  readonly isError?: boolean;
  /** The result is not the last one. */
  readonly isPreliminary?: true;
  readonly modelContent?: readonly ToolModelContentPart[];
  readonly messages?: JsonValue;
  readonly parentId?: string;
}

/** Where something in the answer comes from. */
export type SourcePart =
  | {
      readonly type: "source";
      readonly sourceType: "url";
      readonly id: string;
      readonly url: string;
      readonly title?: string;
      readonly parentId?: string;
    }
  | {
      readonly type: "source";
      readonly sourceType: "document";
      readonly id: string;
      readonly title: string;
      readonly mediaType: string;
      readonly filename?: string;
      readonly parentId?: string;
    };

/** A file. */
export interface FilePart {
  readonly type: "file";
  readonly mimeType: string;
  readonly data: string;
  readonly parentId?: string;
}

/** Data of the app's own. */
export interface DataPart {
  readonly type: "data";
  readonly name: string;
  readonly data: JsonValue;
  readonly parentId?: string;
}

/** A part of the message. */
export type AssistantMessagePart = TextPart | ReasoningPart | ToolCallPart | SourcePart | FilePart | DataPart;

/** A step of the model. */
export type AssistantMessageStep =
  | { readonly state: "started"; readonly messageId: string }
  | {
      readonly state: "finished";
      readonly messageId: string;
      readonly finishReason: FinishReason;
      readonly usage?: StreamUsage | undefined;
      readonly isContinued: boolean;
    };

/** Where the message is. */
export type AssistantMessageStatus =
  | { readonly type: "running" }
  | { readonly type: "requires-action"; readonly reason: "tool-calls" }
  | { readonly type: "complete"; readonly reason: "stop" | "unknown" }
  | {
      readonly type: "incomplete";
      readonly reason: "cancelled" | "tool-calls" | "length" | "content-filter" | "other" | "error";
      readonly error?: JsonValue;
    };

/** The assistant's message. */
export interface AssistantMessage {
  readonly role: "assistant";
  readonly status: AssistantMessageStatus;
  readonly parts: readonly AssistantMessagePart[];
  readonly metadata: {
    readonly unstable_state: JsonValue;
    readonly unstable_data: readonly JsonValue[];
    readonly unstable_annotations: readonly JsonValue[];
    readonly steps: readonly AssistantMessageStep[];
    readonly custom: JsonObject;
  };
}
