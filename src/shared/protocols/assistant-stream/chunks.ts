/** The chunks of an assistant stream: what a source writes, under the names that users of `assistant-stream` know. */
import { isObject, parseJson, type JsonObject, type JsonValue } from "../../json/json-value.ts";

/** What a provider says of a part, by the provider's name. */
export interface PartProviderMetadata {
  readonly [provider: string]: JsonObject;
}

/** Content for the model, where it differs from the result that users see. */
export type ToolModelContentPart =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "file";
      /** The file, usually base64. */
      readonly data: string;
      readonly mediaType: string;
      readonly filename?: string;
    };

/** A gate that a server put before a tool call. Fields beyond these are kept as they came. */
export interface ToolCallApproval extends JsonObject {
  readonly id: string;
  readonly approved?: boolean;
  readonly reason?: string;
}

/** How a part begins. */
export type PartInit =
  | { readonly type: "text"; readonly providerMetadata?: PartProviderMetadata; readonly parentId?: string }
  | {
      readonly type: "reasoning";
      readonly unstable_summary?: string;
      readonly providerMetadata?: PartProviderMetadata;
      readonly parentId?: string;
    }
  | {
      readonly type: "tool-call";
      readonly toolCallId: string;
      readonly toolName: string;
      readonly parentId?: string;
    }
  | SourceInit
  | { readonly type: "file"; readonly data: string; readonly mimeType: string; readonly parentId?: string }
  | { readonly type: "data"; readonly name: string; readonly data: JsonValue; readonly parentId?: string };

/** How a source begins: a page, or a document. */
export type SourceInit =
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

/** Why a step or a message ended. */
export type FinishReason =
  "stop" | "length" | "content-filter" | "tool-calls" | "error" | "other" | "unknown";

/** Tokens of a step or a message. */
export interface StreamUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** One change of the message's state. */
export type StateOperation =
  | { readonly type: "set"; readonly path: readonly string[]; readonly value: JsonValue }
  | { readonly type: "append-text"; readonly path: readonly string[]; readonly value: string };

/** A chunk. `path` has the index of the part that it is about, and is empty where it is about the message. */
export type AssistantStreamChunk = { readonly path: readonly number[] } & (
  | { readonly type: "part-start"; readonly part: PartInit }
  | { readonly type: "part-finish"; readonly providerMetadata?: PartProviderMetadata }
  /** Adds to a text, a reasoning, or the text of a tool call's arguments. */
  | {
      readonly type: "text-delta";
      readonly textDelta: string;
      readonly providerMetadata?: PartProviderMetadata;
    }
  | { readonly type: "tool-call-args-text-finish" }
  | { readonly type: "tool-call-approval"; readonly approval: ToolCallApproval }
  /** The result of a tool call; a preliminary one may be followed by others. */
  | {
      readonly type: "result";
      readonly result: JsonValue;
      readonly isError: boolean;
      readonly isPreliminary?: boolean;
      readonly artifact?: JsonValue;
      readonly modelContent?: readonly ToolModelContentPart[];
      readonly messages?: JsonValue;
    }
  | { readonly type: "annotations"; readonly annotations: readonly JsonValue[] }
  | { readonly type: "data"; readonly data: readonly JsonValue[] }
  | { readonly type: "step-start"; readonly messageId: string }
  | {
      readonly type: "step-finish";
      readonly finishReason: FinishReason;
      readonly usage: StreamUsage;
      readonly isContinued: boolean;
    }
  | { readonly type: "message-finish"; readonly finishReason: FinishReason; readonly usage: StreamUsage }
  | {
      readonly type: "error";
      readonly error: string;
      readonly code?: string;
      readonly severity?: "critical" | "warning" | "info";
    }
  | { readonly type: "update-state"; readonly operations: readonly StateOperation[] }
);

/** The chunk of a type. */
export type ChunkOf<TType extends AssistantStreamChunk["type"]> = Extract<
  AssistantStreamChunk,
  { readonly type: TType }
>;

/** What is nested deeper cannot be written again: `JSON.stringify` would overflow the stack. */
const MAX_DEPTH = 500;
/** Numbers that JSON can write and JavaScript cannot hold: they are read as infinite, and written as null. */
const HUGE_NUMBER = /\d[eE]\+?\d{3}|\d{309}/;

/** Reads a payload; `undefined` where it is no chunk. */
export function parseChunk(payload: string): AssistantStreamChunk | undefined {
  let value = parseJson(payload);
  if (payload.length > MAX_DEPTH && isDeeper(value, MAX_DEPTH)) return undefined;
  // Every fold must see what a checkpoint keeps.
  if (HUGE_NUMBER.test(payload)) value = parseJson(JSON.stringify(value));
  // One without a path is about the message.
  const chunk = { path: [], ...(isObject(value) ? value : {}) };
  return isChunk(chunk) ? chunk : undefined;
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((item) => isDeeper(item, depth - 1));
}

/** Looks at what all chunks have. What only some have, the fold looks at where it uses it. */
function isChunk(value: { readonly type?: unknown; readonly path: unknown }): value is AssistantStreamChunk {
  return (
    typeof value.type === "string" && Array.isArray(value.path) && value.path.every(Number.isSafeInteger)
  );
}
