/** Runs the tools that a stream calls, and writes what they came to into the stream. */
import type { JsonObject, JsonValue } from "../../shared/json/json-value.ts";
import type {
  AssistantStreamChunk,
  ToolModelContentPart,
} from "../../shared/protocols/assistant-stream/index.ts";
import { resultChunk, ToolResponse } from "./tool-response.ts";

/** What a tool is told of a call. */
export interface ToolExecutionContext {
  readonly toolCallId: string;
  /** Fires when the answer is stopped. */
  readonly abortSignal: AbortSignal;
}

/** A tool. One without `execute` is run elsewhere, in the client for instance. */
export interface Tool {
  readonly execute?: (
    args: JsonObject,
    context: ToolExecutionContext,
  ) => JsonValue | ToolResponse | undefined | Promise<JsonValue | ToolResponse | undefined>;
  /**
   * What the model is told of a result, where that is not the result itself. When it throws, a warning is logged and the
   * result stays as it is.
   */
  readonly toModelOutput?: (call: {
    readonly toolCallId: string;
    readonly input: JsonObject;
    readonly output: JsonValue | undefined;
  }) => readonly ToolModelContentPart[] | Promise<readonly ToolModelContentPart[]>;
}

interface OpenCall {
  readonly toolCallId: string;
  readonly toolName: string;
  argsText: string;
  /** Somebody else gave, or has to give, the result. */
  settled: boolean;
}

const CANCELLED = new ToolResponse({ result: "Tool execution was cancelled.", isError: true });

/**
 * Passes chunks on. When the arguments of a call are whole and the tool is one of these, it is run, and its response is
 * written as a `result`. A call that has a result already, or waits for an approval, is left alone. A tool that throws, is
 * aborted, or is given arguments that are no JSON object comes to an `isError` result. The end of the message waits for all
 * tools.
 */
export function toolResultStream(
  tools: Readonly<Record<string, Tool>>,
  abortSignal: AbortSignal,
): TransformStream<AssistantStreamChunk, AssistantStreamChunk> {
  const calls = new Map<number, OpenCall>();
  const running = new Set<Promise<void>>();
  let parts = 0;

  return new TransformStream({
    async transform(chunk, controller) {
      const [index = -1] = chunk.path;
      const call = calls.get(index);
      switch (chunk.type) {
        case "part-start":
          if (chunk.part.type === "tool-call") {
            const { toolCallId, toolName } = chunk.part;
            calls.set(parts, { toolCallId, toolName, argsText: "", settled: false });
          }
          parts += 1;
          break;
        case "text-delta":
          if (call !== undefined) call.argsText += chunk.textDelta;
          break;
        case "result":
        case "tool-call-approval":
          if (call !== undefined) call.settled = true;
          break;
        case "message-finish":
          await Promise.all(running);
      }
      controller.enqueue(chunk);
      if (chunk.type !== "tool-call-args-text-finish" || call === undefined || call.settled) return;
      const tool = Object.hasOwn(tools, call.toolName) ? tools[call.toolName] : undefined;
      if (tool?.execute === undefined) return;
      call.settled = true;
      const run = runTool(tool, call, abortSignal).then((response) => {
        running.delete(run);
        try {
          controller.enqueue(resultChunk(index, response));
        } catch {
          // Nobody reads any more.
        }
      });
      running.add(run);
    },
    async flush() {
      await Promise.all(running);
    },
  });
}

async function runTool(tool: Tool, call: OpenCall, abortSignal: AbortSignal): Promise<ToolResponse> {
  if (abortSignal.aborted) return CANCELLED;
  const aborted = Promise.withResolvers<ToolResponse>();
  const onAbort = (): void => aborted.resolve(CANCELLED);
  abortSignal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([execute(tool, call, abortSignal), aborted.promise]);
  } catch (error) {
    if (abortSignal.aborted) return CANCELLED;
    return new ToolResponse({
      result: `Error: ${error instanceof Error ? error.message : String(error)}`,
      isError: true,
    });
  } finally {
    abortSignal.removeEventListener("abort", onAbort);
  }
}

async function execute(tool: Tool, call: OpenCall, abortSignal: AbortSignal): Promise<ToolResponse> {
  const { toolCallId, toolName } = call;
  const input = parseArgs(call.argsText);
  const returned = await tool.execute?.(input, { toolCallId, abortSignal });
  const response = returned instanceof ToolResponse ? returned : new ToolResponse({ result: returned });
  if (tool.toModelOutput === undefined || response.isError || response.modelContent !== undefined)
    return response;
  try {
    const modelContent = await tool.toModelOutput({ toolCallId, input, output: response.result });
    return new ToolResponse({ ...response, modelContent });
  } catch (error) {
    console.warn(
      `rejoin: toModelOutput of the tool ${toolName} failed; the model is told the result itself.`,
      error,
    );
    return response;
  }
}

function parseArgs(argsText: string): JsonObject {
  const args: unknown = JSON.parse(argsText === "" ? "{}" : argsText);
  if (isJsonObject(args)) return args;
  throw new TypeError("the arguments of a tool must be an object");
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
