/** The fold of an assistant stream: chunks in, message out. */
import { createIncrementalJson, type IncrementalJson } from "../../json/incremental-json.ts";
import type { JsonObject, JsonValue } from "../../json/json-value.ts";
import type { StreamEnd } from "../../wire.ts";
import type { StreamFold } from "../protocol.ts";
import {
  checkChunk,
  isPartInit,
  parseChunk,
  type AssistantStreamChunk,
  type ChunkOf,
  type FinishReason,
} from "./chunks.ts";
import type {
  AssistantMessage,
  AssistantMessagePart,
  AssistantMessageStatus,
  AssistantMessageStep,
} from "./message.ts";
import {
  appendText,
  beginPart,
  endPart,
  finishArgs,
  finishPart,
  PLACEHOLDER,
  setResult,
} from "./part-changes.ts";
import { applyStateOperation } from "./state-operations.ts";

/** The fold, which also takes chunks that were parsed elsewhere. */
export interface AssistantStreamFold extends StreamFold<AssistantMessage> {
  /** Takes the next chunk. */
  applyChunk(chunk: AssistantStreamChunk): void;
  /** Whether the source said that it ended. */
  isComplete(): boolean;
}

/** What a snapshot holds: the message, without the arguments, which their text gives again. */
interface Snapshot {
  readonly message: AssistantMessage;
  readonly complete: boolean;
}

/** A peer can invent kinds of nonsense without end; this many are told. */
const MAX_WARNINGS = 16;

const NO_PARTS: readonly AssistantMessagePart[] = [];
const NO_VALUES: readonly JsonValue[] = [];
const NO_STEPS: readonly AssistantMessageStep[] = [];

/**
 * Makes a fold.
 *
 * @param onProblem called for chunks that are passed over; warns once a kind by default.
 */
export function createAssistantStreamFold(
  snapshot?: JsonValue,
  onProblem: (problem: string) => void = warnOnce(),
): AssistantStreamFold {
  const start = snapshot === undefined ? undefined : readSnapshot(snapshot);
  let complete = start?.complete ?? false;
  let status: AssistantMessageStatus = start?.message.status ?? { type: "running" };
  const metadata = start?.message.metadata;
  let state: JsonValue = metadata?.unstable_state ?? null;
  const custom: JsonObject = metadata?.custom ?? {};
  const parts = growingList(start?.message.parts ?? NO_PARTS);
  const data = growingList(metadata?.unstable_data ?? NO_VALUES);
  const annotations = growingList(metadata?.unstable_annotations ?? NO_VALUES);
  const steps = growingList(metadata?.steps ?? NO_STEPS);
  /** Objects of the state that nobody has looked at yet, and that may so be changed in place. */
  let unseen = new WeakSet<object>();
  /** Readers of tool calls' arguments, by the part's index. */
  const readers = new Map<number, IncrementalJson>();
  /** Tool calls whose `args` are behind their text. */
  const behind = new Set<number>();
  let metadataView: AssistantMessage["metadata"] | undefined;
  let view: AssistantMessage | undefined;

  parts.all().forEach((part, index) => {
    if (part.type !== "tool-call" || part.argsText === "") return;
    readerOf(index).feed(part.argsText);
    behind.add(index);
  });

  const fold: AssistantStreamFold = {
    apply(payload) {
      const chunk = parseChunk(payload);
      if (typeof chunk === "string") onProblem(chunk);
      else take(chunk);
    },
    applyChunk(chunk) {
      const checked = checkChunk(chunk);
      if (typeof checked === "string") onProblem(checked);
      else take(checked);
    },
    end(end) {
      view = undefined;
      endMessage(end);
    },
    view() {
      view ??= { role: "assistant", status, parts: viewParts(), metadata: viewMetadata() };
      return view;
    },
    snapshot() {
      const message = fold.view();
      const withoutArgs = message.parts.map((part) =>
        part.type === "tool-call" ? { ...part, args: {} } : part,
      );
      return toJson({ message: { ...message, parts: withoutArgs }, complete });
    },
    isComplete: () => complete,
  };
  return fold;

  function take(chunk: AssistantStreamChunk): void {
    view = undefined;
    switch (chunk.type) {
      case "part-start": {
        const known = isPartInit(chunk.part);
        if (!known) onProblem("an unknown or damaged part");
        parts.push([known ? beginPart(chunk.part) : PLACEHOLDER]);
        return;
      }
      case "text-delta":
        return changePart(chunk, (part, index) => {
          if (part.type === "text" || part.type === "reasoning") return appendText(part, chunk);
          if (part.type !== "tool-call") return undefined;
          readerOf(index).feed(chunk.textDelta);
          behind.add(index);
          return { ...part, argsText: part.argsText + chunk.textDelta };
        });
      case "tool-call-args-text-finish":
        return changePart(chunk, (part) => (part.type === "tool-call" ? finishArgs(part) : undefined));
      case "tool-call-approval":
        return changePart(chunk, (part) =>
          part.type === "tool-call" ? { ...part, approval: chunk.approval } : undefined,
        );
      case "result":
        return changePart(chunk, (part) => (part.type === "tool-call" ? setResult(part, chunk) : undefined));
      case "part-finish":
        return changePart(chunk, (part) => finishPart(part, chunk));
      case "annotations":
        return changeMetadata(() => annotations.push(chunk.annotations));
      case "data":
        return changeMetadata(() => data.push(chunk.data));
      case "step-start":
        return changeMetadata(() =>
          steps.push([{ state: "started", messageId: chunk.messageId ?? stepName() }]),
        );
      case "step-finish":
        return changeMetadata(() => finishStep(chunk));
      case "update-state":
        return changeMetadata(() => updateState(chunk));
      case "error":
        complete ||= chunk.severity === undefined || chunk.severity === "critical";
        status = errorStatus(chunk);
        return;
      case "message-finish":
        complete = true;
        // Some sources send a finish after an error, which is the truth.
        if (!(status.type === "incomplete" && status.reason === "error"))
          status = statusOf(chunk.finishReason);
        return;
    }
  }

  function changePart(
    chunk: AssistantStreamChunk,
    change: (part: AssistantMessagePart, index: number) => AssistantMessagePart | undefined,
  ): void {
    const [index] = chunk.path;
    const part = index === undefined || chunk.path.length !== 1 ? undefined : parts.all()[index];
    if (index === undefined || part === undefined) return onProblem(`${chunk.type}: there is no such part`);
    const changed = change(part, index);
    if (changed === undefined) onProblem(`${chunk.type}: not for a part of type ${part.type}`);
    else if (changed !== part) parts.set(index, changed);
  }

  function changeMetadata(change: () => void): void {
    metadataView = undefined;
    change();
  }

  function finishStep({ finishReason, usage, isContinued }: ChunkOf<"step-finish">): void {
    const last = steps.all().at(-1);
    const step: AssistantMessageStep = {
      state: "finished",
      // An id that is made up must be the same in every replay.
      messageId: last?.state === "started" ? last.messageId : stepName(),
      finishReason,
      ...(usage === undefined ? {} : { usage }),
      isContinued: isContinued ?? false,
    };
    if (last?.state === "started") steps.set(steps.all().length - 1, step);
    else steps.push([step]);
  }

  function stepName(): string {
    return `step-${steps.all().length}`;
  }

  function updateState({ operations }: ChunkOf<"update-state">): void {
    for (const operation of operations) {
      try {
        state = applyStateOperation(state, operation, unseen);
      } catch (error) {
        onProblem(
          `update-state: ${error instanceof RangeError ? error.message : "the operation is not one"}`,
        );
      }
    }
  }

  function endMessage(end: StreamEnd): void {
    const how = end.status === "done" ? "whole" : end.status === "stopped" ? "cancelled" : "other";
    parts.all().forEach((part, index) => {
      const ended = endPart(part, how);
      if (ended !== part) parts.set(index, ended);
    });
    if (status.type !== "running") return;
    if (end.status === "done") status = statusOf(parts.all().some(isWaiting) ? "tool-calls" : "unknown");
    else if (end.status === "stopped") status = { type: "incomplete", reason: "cancelled" };
    else
      status = {
        type: "incomplete",
        reason: "error",
        error: { code: end.error?.code, message: end.error?.message },
      };
  }

  function readerOf(index: number): IncrementalJson {
    let reader = readers.get(index);
    if (reader === undefined) readers.set(index, (reader = createIncrementalJson()));
    return reader;
  }

  function viewParts(): readonly AssistantMessagePart[] {
    for (const index of behind) {
      const part = parts.all()[index];
      if (part?.type === "tool-call") parts.set(index, { ...part, args: readerOf(index).value() });
    }
    behind.clear();
    return parts.view();
  }

  function viewMetadata(): AssistantMessage["metadata"] {
    unseen = new WeakSet();
    metadataView ??= {
      unstable_state: state,
      unstable_data: data.view(),
      unstable_annotations: annotations.view(),
      steps: steps.view(),
      custom,
    };
    return metadataView;
  }
}

/** A list that grows here and is looked at elsewhere: copied when it is looked at, not at each change. */
interface GrowingList<T> {
  all(): readonly T[];
  push(items: readonly T[]): void;
  set(index: number, item: T): void;
  view(): readonly T[];
}

function growingList<T>(start: readonly T[]): GrowingList<T> {
  const items = [...start];
  let view: readonly T[] | undefined = start;
  return {
    all: () => items,
    push(more) {
      view = undefined;
      for (const item of more) items.push(item);
    },
    set(index, item) {
      view = undefined;
      items[index] = item;
    },
    view: () => (view ??= [...items]),
  };
}

function isWaiting(part: AssistantMessagePart): boolean {
  return part.type === "tool-call" && part.state !== "result";
}

function statusOf(reason: FinishReason): AssistantMessageStatus {
  switch (reason) {
    case "tool-calls":
      return { type: "requires-action", reason };
    case "stop":
    case "unknown":
      return { type: "complete", reason };
    default:
      return { type: "incomplete", reason };
  }
}

function errorStatus({ error, code, severity }: ChunkOf<"error">): AssistantMessageStatus {
  const known = severity === "critical" || severity === "warning" || severity === "info";
  return {
    type: "incomplete",
    reason: "error",
    error: { code: code ?? "unknown", message: error ?? "unknown error", ...(known ? { severity } : {}) },
  };
}

function readSnapshot(snapshot: JsonValue): Snapshot {
  const { message, complete } = isSnapshot(snapshot) ? snapshot : { message: undefined, complete: undefined };
  if (message !== undefined && complete !== undefined) return { message, complete };
  throw new TypeError("Not a snapshot of an assistant stream.");
}

/** Looks as deep as it must for the fold not to fail: whoever stores snapshots keeps them whole. */
function isSnapshot(value: unknown): value is Snapshot {
  if (!isRecord(value) || typeof value["complete"] !== "boolean" || !isRecord(value["message"])) return false;
  const { status, parts, metadata } = value["message"];
  if (!isRecord(status) || !isRecord(metadata) || !Array.isArray(parts)) return false;
  const lists = [metadata["unstable_data"], metadata["unstable_annotations"], metadata["steps"]];
  return lists.every(Array.isArray) && parts.every(isPart);
}

function isPart(part: unknown): boolean {
  if (!isRecord(part)) return false;
  switch (part["type"]) {
    case "text":
    case "reasoning":
      return typeof part["text"] === "string" && isRecord(part["status"]);
    case "tool-call":
      return typeof part["argsText"] === "string" && isRecord(part["status"]);
    case "source":
    case "file":
    case "data":
      return true;
    default:
      return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Messages are JSON by their types, but for optional fields, which TypeScript's index signatures do not allow for. */
function toJson(snapshot: Snapshot): JsonValue {
  const value: unknown = snapshot;
  return isJson(value) ? value : null;
}

function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}

function warnOnce(): (problem: string) => void {
  const told = new Set<string>();
  return (problem) => {
    if (told.has(problem) || told.size >= MAX_WARNINGS) return;
    told.add(problem);
    console.warn(`rejoin: passed over in an assistant stream: ${problem}`);
  };
}
