/** What chunks do to a part: pure, a new part for each change. The arguments of a tool call are read elsewhere. */
import type { ChunkOf, PartInit } from "./chunks.ts";
import type { AssistantMessagePart, ReasoningPart, TextPart, ToolCallPart } from "./message.ts";

/** Stands where a part began that is not understood, so that the indices of later parts are right. */
export const PLACEHOLDER: ReasoningPart = { type: "reasoning", text: "", status: { type: "running" } };

/** A part as it begins. */
export function beginPart(init: PartInit): AssistantMessagePart {
  const parent = init.parentId ? { parentId: init.parentId } : {};
  switch (init.type) {
    case "text":
    case "reasoning":
      return {
        type: init.type,
        text: "",
        status: { type: "running" },
        ...(init.providerMetadata == null ? {} : { providerMetadata: init.providerMetadata }),
        ...(init.type === "reasoning" && init.unstable_summary !== undefined
          ? { unstable_summary: init.unstable_summary }
          : {}),
        ...parent,
      };
    case "tool-call":
      return {
        type: "tool-call",
        state: "partial-call",
        status: { type: "running", isArgsComplete: false },
        toolCallId: init.toolCallId,
        toolName: init.toolName,
        argsText: "",
        args: {},
        ...parent,
      };
    case "source":
      return init.sourceType === "document"
        ? {
            type: "source",
            sourceType: "document",
            id: init.id,
            title: init.title,
            mediaType: init.mediaType ?? "application/octet-stream",
            ...(init.filename ? { filename: init.filename } : {}),
            ...parent,
          }
        : {
            type: "source",
            sourceType: "url",
            id: init.id,
            url: init.url,
            ...(init.title ? { title: init.title } : {}),
            ...parent,
          };
    case "file":
      return { type: "file", mimeType: init.mimeType, data: init.data, ...parent };
    case "data":
      return { type: "data", name: init.name, data: init.data, ...parent };
  }
}

/** Adds to the text of a part. */
export function appendText<TPart extends TextPart | ReasoningPart>(
  part: TPart,
  chunk: ChunkOf<"text-delta">,
): TPart {
  const text = part.text + chunk.textDelta;
  return chunk.providerMetadata == null
    ? { ...part, text }
    : { ...part, text, providerMetadata: chunk.providerMetadata };
}

/** The arguments of a tool call are whole. */
export function finishArgs(part: ToolCallPart): ToolCallPart {
  if (part.state !== "partial-call") return part;
  const status =
    part.status.type === "running" ? ({ type: "running", isArgsComplete: true } as const) : part.status;
  return { ...part, state: "call", status };
}

/** What JSON makes of a tool that returned nothing: there is no such field. The tool did return. */
const NO_RESULT = "<no result>";

/** A tool call has a result. A preliminary one may be followed by others, but never follows the last one. */
export function setResult(part: ToolCallPart, chunk: ChunkOf<"result">): ToolCallPart {
  const isPreliminary = chunk.isPreliminary === true;
  if (isPreliminary && part.state === "result") return part;
  // What an earlier result brought along does not belong to this one.
  const {
    isPreliminary: _isPreliminary,
    modelContent: _modelContent,
    artifact: _artifact,
    messages: _messages,
    ...base
  } = part;
  const isArgsComplete = part.state !== "partial-call";
  return {
    ...base,
    state: isPreliminary ? (isArgsComplete ? "call" : "partial-call") : "result",
    ...(chunk.artifact === undefined ? {} : { artifact: chunk.artifact }),
    result: chunk.result === undefined ? NO_RESULT : chunk.result,
    isError: chunk.isError ?? false,
    ...(isPreliminary ? { isPreliminary } : {}),
    ...(chunk.modelContent === undefined ? {} : { modelContent: chunk.modelContent }),
    ...(chunk.messages === undefined ? {} : { messages: chunk.messages }),
    status: isPreliminary ? runningStatus(part, isArgsComplete) : { type: "complete", reason: "stop" },
  };
}

function runningStatus(part: ToolCallPart, isArgsComplete: boolean): ToolCallPart["status"] {
  return part.status.type === "running" ? part.status : { type: "running", isArgsComplete };
}

/** A part is whole. */
export function finishPart(part: AssistantMessagePart, chunk: ChunkOf<"part-finish">): AssistantMessagePart {
  const status = { type: "complete", reason: "unknown" } as const;
  switch (part.type) {
    case "tool-call":
      return part.isPreliminary === true ? part : { ...part, status };
    case "text":
    case "reasoning":
      return chunk.providerMetadata == null
        ? { ...part, status }
        : { ...part, providerMetadata: chunk.providerMetadata, status };
    default:
      // It was whole when it began.
      return part;
  }
}

/** The stream has ended while a part was running. */
export function endPart(
  part: AssistantMessagePart,
  end: "whole" | "cancelled" | "other",
): AssistantMessagePart {
  if (!("status" in part) || part.status.type !== "running") return part;
  if (end !== "whole") return { ...part, status: { type: "incomplete", reason: end } };
  if (part.type !== "tool-call") return { ...part, status: { type: "complete", reason: "unknown" } };
  // A tool call without a result waits for somebody to give it.
  return { ...part, status: { type: "requires-action", reason: "tool-call-result" } };
}
