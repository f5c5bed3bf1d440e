/** A language model behind an OpenAI-compatible server, with the demo's tools at its hand. */
import type {
  AssistantStreamChunk,
  FinishReason,
  JsonObject,
  JsonValue,
} from "rejoin/protocols/assistant-stream";
import { ToolError, type Tool } from "../../tools/tool.ts";
import type { ChatModel } from "../model.ts";
import {
  ChatServerError,
  firstModel,
  streamCompletion,
  type ChatMessage,
  type ChatServer,
  type CompletionDelta,
  type CompletionRequest,
  type ToolCallMessage,
} from "./chat-completions.ts";

/** Options of {@link createOpenAiModel}. */
export interface OpenAiModelOptions extends ChatServer {
  /** The model's name; the first that the server lists by default. */
  readonly model: string | undefined;
  /** Tools that the model may call. */
  readonly tools: readonly Tool[];
}

/** Rounds of tool calls in one answer: a model that never stops calling is stopped. */
const MAX_ROUNDS = 6;

const INSTRUCTIONS =
  "You are the assistant of a small demo chat. Answer in Markdown, to the point. Use a tool where one fits.";

/** Makes a model that asks a server. It is asked for the first time with the first question. */
export function createOpenAiModel(options: OpenAiModelOptions): ChatModel {
  let model = options.model;
  /** Until the server says that its model has no tools. */
  let offersTools = options.tools.length > 0;

  async function* complete(
    messages: readonly ChatMessage[],
    signal: AbortSignal,
  ): AsyncGenerator<CompletionDelta> {
    model ??= await firstModel(options, signal);
    const request: CompletionRequest = { model, messages, tools: [] };
    if (!offersTools) return yield* streamCompletion(options, request, signal);
    try {
      yield* streamCompletion(options, { ...request, tools: options.tools.map(definitionOf) }, signal);
    } catch (error) {
      // A model without tools is refused before its first word; how differs, but not that it is the request's fault.
      if (!(error instanceof ChatServerError) || ![400, 422, 501].includes(error.status)) throw error;
      offersTools = false;
      yield* streamCompletion(options, request, signal);
    }
  }

  return {
    label: options.model ?? "the model server's first model",
    async *respond(turns, signal) {
      const messages: ChatMessage[] = [
        { role: "system", content: INSTRUCTIONS },
        ...turns.map(({ role, text }) => ({ role, content: text })),
      ];
      const parts = createPartWriter();
      const usage = { inputTokens: 0, outputTokens: 0 };
      let finishReason: FinishReason = "unknown";

      for (let round = 0; round < MAX_ROUNDS; round++) {
        const calls = new Map<number, PendingCall>();
        let content = "";
        for await (const delta of complete(messages, signal)) {
          switch (delta.type) {
            case "content":
              content += delta.text;
              yield* parts.write("text", delta.text);
              break;
            case "reasoning":
              yield* parts.write("reasoning", delta.text);
              break;
            case "tool-call": {
              let call = calls.get(delta.index);
              if (call === undefined) {
                call = {
                  id: delta.id ?? `call-${round}-${delta.index}`,
                  name: delta.name ?? "unknown",
                  part: parts.next(),
                  argsText: "",
                };
                calls.set(delta.index, call);
                yield* parts.openToolCall(call);
              }
              call.argsText += delta.argsText;
              if (delta.argsText !== "") yield textDelta(call.part, delta.argsText);
              break;
            }
            case "finish":
              finishReason = finishReasonOf(delta.reason);
              break;
            case "usage":
              usage.inputTokens += delta.inputTokens;
              usage.outputTokens += delta.outputTokens;
          }
        }
        yield* parts.close();
        if (calls.size === 0) break;

        messages.push({
          role: "assistant",
          content,
          tool_calls: [...calls.values()].map(toolCallMessage),
        });
        for (const call of calls.values()) {
          const { result, isError } = runTool(options.tools, call);
          yield { type: "tool-call-args-text-finish", path: [call.part] };
          yield { type: "result", path: [call.part], result, isError };
          yield { type: "part-finish", path: [call.part] };
          messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(result) });
        }
      }
      yield { type: "message-finish", path: [], finishReason, usage };
    },
  };
}

interface PendingCall {
  readonly id: string;
  readonly name: string;
  /** Index of its part. */
  readonly part: number;
  argsText: string;
}

/** Opens a part where the kind of text changes. */
function createPartWriter() {
  let count = 0;
  let open: { readonly kind: "text" | "reasoning"; readonly index: number } | null = null;

  function* close(): Generator<AssistantStreamChunk> {
    if (open !== null) yield { type: "part-finish", path: [open.index] };
    open = null;
  }

  return {
    close,
    /** Index of the part that is opened next. */
    next: () => count,
    *write(kind: "text" | "reasoning", text: string): Generator<AssistantStreamChunk> {
      if (open?.kind !== kind) {
        yield* close();
        open = { kind, index: count++ };
        yield { type: "part-start", path: [], part: { type: kind } };
      }
      yield textDelta(open.index, text);
    },
    *openToolCall({ id, name }: PendingCall): Generator<AssistantStreamChunk> {
      yield* close();
      count++;
      yield { type: "part-start", path: [], part: { type: "tool-call", toolCallId: id, toolName: name } };
    },
  };
}

function textDelta(part: number, textDelta: string): AssistantStreamChunk {
  return { type: "text-delta", path: [part], textDelta };
}

function definitionOf({ name, description, parameters }: Tool): JsonObject {
  return { type: "function", function: { name, description, parameters } };
}

function toolCallMessage({ id, name, argsText }: PendingCall): ToolCallMessage {
  return { id, type: "function", function: { name, arguments: argsText } };
}

function runTool(
  tools: readonly Tool[],
  { name, argsText }: PendingCall,
): { readonly result: JsonValue; readonly isError: boolean } {
  const tool = tools.find((each) => each.name === name);
  try {
    if (tool === undefined) throw new ToolError(`There is no tool named ${name}.`);
    return { result: tool.run(tool.readArgs(parseArgs(argsText))), isError: false };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return { result: error.message, isError: true };
  }
}

function parseArgs(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text || "{}");
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new ToolError("The arguments are not a JSON object.");
}

/** What `JSON.parse` returned has nothing but JSON in it. */
function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function finishReasonOf(reason: string): FinishReason {
  switch (reason) {
    case "stop":
    case "length":
      return reason;
    case "tool_calls":
      return "tool-calls";
    case "content_filter":
      return "content-filter";
    default:
      return "other";
  }
}
