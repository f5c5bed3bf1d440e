/** The chunks of an assistant stream: what a source writes, under the names that users of `assistant-stream` know. */
import type { JsonObject, JsonValue } from "../../json/json-value.ts";

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

type Fields = Readonly<Record<string, unknown>>;

const isString = (value: unknown): boolean => typeof value === "string";
const isOptionalString = (value: unknown): boolean => value === undefined || typeof value === "string";

/** What a chunk must have to mean anything, by type. What it has beyond that is taken as it is. */
const REQUIRED: Readonly<Record<AssistantStreamChunk["type"], (fields: Fields) => boolean>> = {
  "part-start": ({ part }) => isFields(part),
  "part-finish": () => true,
  "text-delta": ({ textDelta }) => isString(textDelta),
  "tool-call-args-text-finish": () => true,
  "tool-call-approval": ({ approval }) => isFields(approval) && isString(approval["id"]),
  result: () => true,
  annotations: ({ annotations }) => Array.isArray(annotations),
  data: ({ data }) => Array.isArray(data),
  "step-start": ({ messageId }) => isOptionalString(messageId),
  "step-finish": ({ finishReason }) => isString(finishReason),
  "message-finish": ({ finishReason }) => isString(finishReason),
  error: ({ error }) => isOptionalString(error),
  "update-state": ({ operations }) => Array.isArray(operations),
};

/** What a part's beginning must have, by type. */
const REQUIRED_OF_PART: Readonly<Record<string, (fields: Fields) => boolean>> = {
  text: () => true,
  reasoning: () => true,
  "tool-call": ({ toolCallId, toolName }) => isString(toolCallId) && isString(toolName),
  source: ({ sourceType, id, url, title }) =>
    isString(id) && (sourceType === "document" ? isString(title) : sourceType === "url" && isString(url)),
  file: ({ data, mimeType }) => isString(data) && isString(mimeType),
  data: (fields) => isString(fields["name"]) && Object.hasOwn(fields, "data"),
};

/** What is nested deeper cannot be written again: `JSON.stringify` would overflow the stack. */
const MAX_DEPTH = 500;
/** Numbers that JSON can write and JavaScript cannot hold: they are read as infinite, and written as null. */
const HUGE_NUMBER = /\d[eE]\+?\d{3}|\d{309}/;

/** Reads a payload. A text instead of a chunk says, in a few words, why it is none. */
export function parseChunk(payload: string): AssistantStreamChunk | string {
  if (isTooDeep(payload)) return "a payload is nested too deep";
  let value: unknown;
  try {
    value = JSON.parse(payload);
    // Every fold must see what a checkpoint keeps.
    if (HUGE_NUMBER.test(payload)) value = JSON.parse(JSON.stringify(value));
  } catch {
    return "a payload is not JSON";
  }
  return checkChunk(value);
}

/** Checks a chunk that was parsed elsewhere. One without a path is about the message. */
export function checkChunk(value: unknown): AssistantStreamChunk | string {
  if (!isFields(value)) return "a chunk is not an object";
  const { type } = value;
  if (typeof type !== "string") return "a chunk has no type";
  const chunk = value["path"] === undefined ? { ...value, path: [] } : value;
  return isChunk(chunk) ? chunk : `unknown or damaged chunk of type ${type.slice(0, 64)}`;
}

function isTooDeep(payload: string): boolean {
  if (payload.length < MAX_DEPTH) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < payload.length; index += 1) {
    const char = payload.charCodeAt(index);
    if (inString) {
      if (char === 0x5c) index += 1;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x5b || char === 0x7b) depth += 1;
    else if (char === 0x5d || char === 0x7d) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function isChunk(value: Fields): value is Fields & AssistantStreamChunk {
  const { type, path } = value;
  return typeof type === "string" && isChunkType(type) && isPath(path) && REQUIRED[type](value);
}

function isPath(path: unknown): boolean {
  return Array.isArray(path) && path.every((index) => Number.isSafeInteger(index) && index >= 0);
}

function isChunkType(type: string): type is AssistantStreamChunk["type"] {
  return Object.hasOwn(REQUIRED, type);
}

/** Whether a part's beginning has what its type needs. */
export function isPartInit(part: PartInit): boolean {
  const type: unknown = part.type;
  return (
    typeof type === "string" &&
    Object.hasOwn(REQUIRED_OF_PART, type) &&
    REQUIRED_OF_PART[type]?.({ ...part }) === true
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
