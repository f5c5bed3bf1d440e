/** The fold of an assistant stream: chunks in, message out. */
import { createIncrementalJson, type IncrementalJson } from "../../json/incremental-json.ts";
import { asJson, isObject, isString, type JsonObject, type JsonValue } from "../../json/json-value.ts";
import type { StreamEnd } from "../../wire.ts";
import type { StreamFold } from "../protocol.ts";
import {
  parseChunk,
  type AssistantStreamChunk,
  type ChunkOf,
  type FinishReason,
  type StateOperation,
} from "./chunks.ts";
import type { AssistantMessage, AssistantMessagePart, AssistantMessageStatus } from "./message.ts";
import { beginPart, changePart, endPart, PLACEHOLDER } from "./part-changes.ts";
import { applyStateOperation } from "./state-operations.ts";

/** The fold, which also knows whether it is whole. */
export interface AssistantStreamFold extends StreamFold<AssistantMessage> {
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
/** Characters of an unknown type that are told. */
const MAX_SHOWN = 64;

/**
 * Makes a fold.
 *
 * @param onProblem called for chunks that are passed over; warns once a kind by default.
 */
export function createAssistantStreamFold(
  snapshot: JsonValue = NOTHING_YET,
  onProblem: (problem: string) => void = warnOnce(),
): AssistantStreamFold {
  const start = readSnapshot(snapshot);
  let { complete } = start;
  let { status } = start.message;
  const parts = [...start.message.parts];
  const metadata = copyOf(start.message.metadata);
  /** Objects of the state that nobody has looked at yet, and that may so be changed in place. */
  let unseen = new WeakSet<object>();
  /** Readers of tool calls' arguments, by the part's index. */
  const readers = new Map<number, IncrementalJson>();
  let partsView: readonly AssistantMessagePart[] | undefined;
  let metadataView: AssistantMessage["metadata"] | undefined;
  let view: AssistantMessage | undefined;

  parts.forEach((part, index) => {
    if (part.type === "tool-call") readArgs(index, part.argsText);
  });

  const fold: AssistantStreamFold = {
    apply(payload) {
      const chunk = parseChunk(payload);
      view = undefined;
      if (chunk === undefined) onProblem("a payload");
      else if (!take(chunk)) onProblem(chunk.type.slice(0, MAX_SHOWN));
    },
    end(end) {
      view = undefined;
      endMessage(end);
    },
    view: () => (view ??= { role: "assistant", status, parts: viewParts(), metadata: viewMetadata() }),
    snapshot() {
      const message = fold.view();
      const withoutArgs = message.parts.map((part) =>
        part.type === "tool-call" ? { ...part, args: {} } : part,
      );
      return asJson({ message: { ...message, parts: withoutArgs }, complete });
    },
    isComplete: () => complete,
  };
  return fold;

  /** Whether the chunk made sense. One that did not has changed nothing, but for the place of a part. */
  function take(chunk: AssistantStreamChunk): boolean {
    switch (chunk.type) {
      case "part-start": {
        const part = beginPart(chunk.part);
        setPart(parts.length, part ?? PLACEHOLDER);
        return part !== undefined;
      }
      case "annotations":
        return append(metadata.unstable_annotations, chunk.annotations);
      case "data":
        return append(metadata.unstable_data, chunk.data);
      case "step-start": {
        const { messageId = stepName() } = chunk;
        return isString(messageId) && append(metadata.steps, [{ state: "started", messageId }]);
      }
      case "step-finish":
        return finishStep(chunk);
      case "update-state":
        metadataView = undefined;
        return Array.isArray(chunk.operations) && chunk.operations.map(updateState).every(Boolean);
      case "error": {
        const { error = "unknown error", code = "unknown", severity } = chunk;
        if (!isString(error)) return false;
        complete ||= severity === undefined || severity === "critical";
        status = failed({ code, message: error, severity });
        return true;
      }
      case "message-finish":
        if (!isString(chunk.finishReason)) return false;
        complete = true;
        // Some sources send a finish after an error, which is the truth.
        if (!(status.type === "incomplete" && status.reason === "error"))
          status = statusOf(chunk.finishReason);
        return true;
      default:
        return takePartChange(chunk);
    }
  }

  function setPart(index: number, part: AssistantMessagePart): void {
    partsView = undefined;
    parts[index] = part;
  }

  function takePartChange(chunk: AssistantStreamChunk): boolean {
    const [index = -1, ...deeper] = chunk.path;
    const part = deeper.length === 0 ? parts[index] : undefined;
    const changed = part && changePart(part, chunk);
    if (changed === undefined) return false;
    if (changed.type === "tool-call" && chunk.type === "text-delta") readArgs(index, chunk.textDelta);
    if (changed !== part) setPart(index, changed);
    return true;
  }

  function append<T>(list: T[], items: readonly T[]): boolean {
    metadataView = undefined;
    if (!Array.isArray(items)) return false;
    for (const item of items) list.push(item);
    return true;
  }

  function finishStep({ finishReason, usage, isContinued = false }: ChunkOf<"step-finish">): boolean {
    if (!isString(finishReason)) return false;
    const started = metadata.steps.at(-1)?.state === "started" ? metadata.steps.pop() : undefined;
    // An id that is made up must be the same in every replay.
    const messageId = started?.messageId ?? stepName();
    return append(metadata.steps, [{ state: "finished", messageId, finishReason, usage, isContinued }]);
  }

  function stepName(): string {
    return `step-${metadata.steps.length}`;
  }

  function updateState(operation: StateOperation): boolean {
    const changed = applyStateOperation(metadata.unstable_state, operation, unseen);
    if (changed !== undefined) metadata.unstable_state = changed;
    return changed !== undefined;
  }

  function endMessage({ status: how, error }: StreamEnd): void {
    parts.forEach((part, index) => {
      const ended = endPart(part, how);
      if (ended !== part) setPart(index, ended);
    });
    if (status.type !== "running") return;
    if (how === "done") status = statusOf(parts.some(isWaiting) ? "tool-calls" : "unknown");
    else if (how === "stopped") status = { type: "incomplete", reason: "cancelled" };
    else status = failed({ ...error });
  }

  function readArgs(index: number, text: string): void {
    let reader = readers.get(index);
    if (reader === undefined) readers.set(index, (reader = createIncrementalJson()));
    reader.feed(text);
  }

  function viewParts(): readonly AssistantMessagePart[] {
    for (const [index, reader] of readers) {
      const part = parts[index];
      const args = reader.value();
      if (part?.type === "tool-call" && part.args !== args) setPart(index, { ...part, args });
    }
    return (partsView ??= [...parts]);
  }

  function viewMetadata(): AssistantMessage["metadata"] {
    unseen = new WeakSet();
    return (metadataView ??= copyOf(metadata));
  }
}

function copyOf({ unstable_data, unstable_annotations, steps, ...rest }: AssistantMessage["metadata"]) {
  return {
    ...rest,
    unstable_data: [...unstable_data],
    unstable_annotations: [...unstable_annotations],
    steps: [...steps],
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

function failed(error: JsonObject): AssistantMessageStatus {
  return { type: "incomplete", reason: "error", error };
}

const NOTHING_YET: JsonValue = {
  complete: false,
  message: {
    status: { type: "running" },
    parts: [],
    metadata: { unstable_state: null, unstable_data: [], unstable_annotations: [], steps: [], custom: {} },
  },
};

function readSnapshot(snapshot: unknown): Snapshot {
  if (isSnapshot(snapshot)) return snapshot;
  throw new TypeError("Not a snapshot.");
}

/** Looks as deep as it must for the fold not to fail later. What is copied at once fails at once: the metadata's lists. */
function isSnapshot(value: unknown): value is Snapshot {
  const message = isObject(value) ? value["message"] : undefined;
  if (!isObject(message) || !isObject(message["status"])) return false;
  return Array.isArray(message["parts"]) && message["parts"].every(isPart);
}

function isPart(part: unknown): boolean {
  return isObject(part) && (part["status"] === undefined || isObject(part["status"]));
}

function warnOnce(): (problem: string) => void {
  const told = new Set<string>();
  return (problem) => {
    if (told.has(problem) || told.size >= MAX_WARNINGS) return;
    told.add(problem);
    console.warn("rejoin: passed over:", problem);
  };
}
