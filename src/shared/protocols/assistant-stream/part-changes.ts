/** What chunks do to a part: pure, a new part for each change. The arguments of a tool call are read elsewhere. */
import { isObject, isString } from "../../json/json-value.ts";
import type { EndStatus } from "../../wire.ts";
import type { AssistantStreamChunk, ChunkOf, PartInit } from "./chunks.ts";
import type { AssistantMessagePart, ReasoningPart, ToolCallPart } from "./message.ts";

/** Stands where a part began that is not understood, so that the indices of later parts are right. */
export const PLACEHOLDER: ReasoningPart = { type: "reasoning", text: "", status: { type: "running" } };

/**
 * A part as it begins; `undefined` where it is of an unknown type, or damaged. Its fields are kept as they came, also
 * those that this version does not know.
 */
export function beginPart(init: PartInit): AssistantMessagePart | undefined {
  if (!isObject(init)) return undefined;
  switch (init.type) {
    case "text":
    case "reasoning":
      return { ...init, text: "", status: { type: "running" } };
    case "tool-call":
      if (!areStrings(init.toolCallId, init.toolName)) return undefined;
      return {
        ...init,
        state: "partial-call",
        status: { type: "running", isArgsComplete: false },
        argsText: "",
        args: {},
      };
    case "source":
      switch (init.sourceType) {
        case "url":
          return areStrings(init.id, init.url) ? init : undefined;
        case "document":
          return areStrings(init.id, init.title)
            ? { ...init, mediaType: init.mediaType ?? "application/octet-stream" }
            : undefined;
      }
      return undefined;
    case "file":
      return areStrings(init.data, init.mimeType) ? init : undefined;
    case "data":
      return areStrings(init.name) && init.data !== undefined ? init : undefined;
  }
  return undefined;
}

function areStrings(...values: readonly unknown[]): boolean {
  return values.every(isString);
}

type Present<T> = { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>;
};

/** The fields that have a value: in JSON, one that has none is no field. */
function present<const T extends object>(fields: T): Present<T>;
function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A part after a chunk that is about it; `undefined` where the chunk is damaged, or not for such a part. */
export function changePart(
  part: AssistantMessagePart,
  chunk: AssistantStreamChunk,
): AssistantMessagePart | undefined {
  switch (chunk.type) {
    case "text-delta":
      return isString(chunk.textDelta) ? appendText(part, chunk) : undefined;
    case "part-finish":
      return finishPart(part, chunk);
    case "tool-call-args-text-finish":
      return part.type === "tool-call" ? finishArgs(part) : undefined;
    case "result":
      return part.type === "tool-call" ? setResult(part, chunk) : undefined;
    case "tool-call-approval": {
      const { approval } = chunk;
      const isSound = part.type === "tool-call" && isObject(approval) && isString(approval.id);
      return isSound ? { ...part, approval } : undefined;
    }
    default:
      return undefined;
  }
}

function appendText(
  part: AssistantMessagePart,
  { textDelta, providerMetadata }: ChunkOf<"text-delta">,
): AssistantMessagePart | undefined {
  switch (part.type) {
    case "tool-call":
      return { ...part, argsText: part.argsText + textDelta };
    case "text":
    case "reasoning": {
      const text = part.text + textDelta;
      return providerMetadata ? { ...part, text, providerMetadata } : { ...part, text };
    }
    default:
      return undefined;
  }
}

/** The arguments of a tool call are whole. */
function finishArgs(part: ToolCallPart): ToolCallPart {
  if (part.state !== "partial-call") return part;
  const { status } = part;
  return { ...part, state: "call", status: status.type === "running" ? runningStatus(true) : status };
}

/** What JSON makes of a tool that returned nothing: there is no such field. The tool did return. */
const NO_RESULT = "<no result>";

/** A tool call has a result. A preliminary one may be followed by others, but never follows the last one. */
function setResult(part: ToolCallPart, chunk: ChunkOf<"result">): ToolCallPart {
  const { result = NO_RESULT, isError = false, artifact, modelContent, messages } = chunk;
  // What an earlier result brought along does not belong to this one.
  const common = { ...part, result, isError, artifact, modelContent, messages };
  if (chunk.isPreliminary !== true)
    return present({
      ...common,
      isPreliminary: undefined,
      state: "result",
      status: { type: "complete", reason: "stop" },
    });
  if (part.state === "result") return part;
  const status = part.status.type === "running" ? part.status : runningStatus(part.state === "call");
  return present({ ...common, isPreliminary: true, status });
}

function runningStatus(isArgsComplete: boolean): ToolCallPart["status"] {
  return { type: "running", isArgsComplete };
}

/** A part is whole. */
function finishPart(part: AssistantMessagePart, chunk: ChunkOf<"part-finish">): AssistantMessagePart {
  const status = { type: "complete", reason: "unknown" } as const;
  switch (part.type) {
    case "tool-call":
      return part.isPreliminary === true ? part : { ...part, status };
    case "text":
    case "reasoning":
      return present({
        ...part,
        status,
        providerMetadata: chunk.providerMetadata ?? part.providerMetadata,
      });
    default:
      // It was whole when it began.
      return part;
  }
}

/** The stream has ended while a part was running. */
export function endPart(part: AssistantMessagePart, end: EndStatus): AssistantMessagePart {
  if (!("status" in part) || part.status.type !== "running") return part;
  if (end !== "done")
    return { ...part, status: { type: "incomplete", reason: end === "stopped" ? "cancelled" : "other" } };
  if (part.type !== "tool-call") return { ...part, status: { type: "complete", reason: "unknown" } };
  // A tool call without a result waits for somebody to give it.
  return { ...part, status: { type: "requires-action", reason: "tool-call-result" } };
}
