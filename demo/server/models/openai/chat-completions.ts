/** The part of the chat completions API that the demo speaks, as OpenAI, Ollama, llama.cpp and many others serve it. */
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { JsonObject } from "rejoin/protocols/assistant-stream";
import { ModelError } from "../model.ts";

/** Where the server is, and who asks. */
export interface ChatServer {
  /** Such as `http://localhost:11434/v1`, without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
}

/** A message of a request. */
export type ChatMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly tool_calls?: readonly ToolCallMessage[] }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };

/** A tool call, as it is told to the model again. */
export interface ToolCallMessage {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A request for a completion. */
export interface CompletionRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** Function definitions; none where it is empty. */
  readonly tools: readonly JsonObject[];
}

/** What a streamed completion says, piece by piece. */
export type CompletionDelta =
  | { readonly type: "reasoning" | "content"; readonly text: string }
  | {
      readonly type: "tool-call";
      readonly index: number;
      /** With the first piece of a call. */
      readonly id: string | undefined;
      readonly name: string | undefined;
      readonly argsText: string;
    }
  | { readonly type: "finish"; readonly reason: string }
  | { readonly type: "usage"; readonly inputTokens: number; readonly outputTokens: number };

/** A server that answered, with an error. */
export class ChatServerError extends ModelError {
  override readonly name: string = "ChatServerError";
  readonly status: number;

  constructor(status: number, detail: string) {
    super(
      `The model server answered ${status}: ${detail}`,
      status === 401 || status === 403
        ? `The model server refused the key (${status}). Check OPENAI_API_KEY.`
        : status === 404
          ? "The model server does not know this model or path (404). Check MODEL and OPENAI_BASE_URL."
          : status === 429
            ? "The model server is busy, or its quota is used up (429)."
            : `The model server answered with an error (${status}).`,
    );
    this.status = status;
  }
}

/** Bound of one event: no piece of a completion is anywhere near. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024;

/** Streams a completion. Throws {@link ModelError}; an abort throws as `fetch` does. */
export async function* streamCompletion(
  server: ChatServer,
  request: CompletionRequest,
  signal: AbortSignal,
): AsyncGenerator<CompletionDelta> {
  const { tools, ...rest } = request;
  const response = await ask(server, "/chat/completions", signal, {
    method: "POST",
    body: JSON.stringify({ ...rest, stream: true, ...(tools.length > 0 && { tools }) }),
  });
  if (response.body === null)
    throw new ModelError("The model server sent no body.", "The model sent nothing.");
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: MAX_EVENT_CHARACTERS }));
  let isComplete = false;
  try {
    for await (const { data } of events) {
      if (data === "[DONE]") return;
      for (const delta of readEvent(data)) {
        if (delta.type === "finish") isComplete = true;
        yield delta;
      }
    }
  } catch (error) {
    if (error instanceof ModelError || signal.aborted) throw error;
    throw brokenOff({ cause: error });
  }
  // A response that merely ends is a cut too, not an answer.
  if (!isComplete) throw brokenOff();
}

function brokenOff(options?: ErrorOptions): ModelError {
  return new ModelError(
    "The model server's response ended without a finish_reason or [DONE].",
    "The model's answer broke off before its end.",
    options,
  );
}

/** The first model that the server has. */
export async function firstModel(server: ChatServer, signal: AbortSignal): Promise<string> {
  const response = await ask(server, "/models", signal, {});
  const list: unknown = await response.json();
  for (const model of listOf(field(list, "data"))) {
    const id = field(model, "id");
    if (typeof id === "string") return id;
  }
  throw new ModelError("The model server has no models.", "The model server has no models. Set MODEL.");
}

async function ask(
  server: ChatServer,
  path: string,
  signal: AbortSignal,
  init: RequestInit,
): Promise<Response> {
  const headers = new Headers({ accept: "application/json, text/event-stream" });
  if (init.body !== undefined) headers.set("content-type", "application/json");
  if (server.apiKey !== undefined) headers.set("authorization", `Bearer ${server.apiKey}`);
  let response: Response;
  try {
    response = await fetch(`${server.baseUrl}${path}`, { ...init, headers, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ModelError(
      `The model server at ${server.baseUrl} did not answer.`,
      "The model server did not answer. Is it running, and is OPENAI_BASE_URL right?",
      { cause: error },
    );
  }
  if (response.ok) return response;
  throw new ChatServerError(response.status, (await response.text()).slice(0, 500));
}

function* readEvent(data: string): Generator<CompletionDelta> {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch (error) {
    throw new ModelError(
      "The model server sent an event that is not JSON.",
      "The model's answer was damaged.",
      {
        cause: error,
      },
    );
  }
  const error = field(event, "error");
  if (error !== undefined && error !== null) {
    throw new ModelError(
      `The model server failed: ${JSON.stringify(error).slice(0, 500)}`,
      "The model failed in the middle of its answer.",
    );
  }
  // An answer has one choice: no more were asked for.
  const choice = listOf(field(event, "choices"))[0];
  const delta = field(choice, "delta");
  const reasoning = textOf(field(delta, "reasoning_content")) || textOf(field(delta, "reasoning"));
  if (reasoning !== "") yield { type: "reasoning", text: reasoning };
  const content = textOf(field(delta, "content"));
  if (content !== "") yield { type: "content", text: content };
  for (const [position, call] of listOf(field(delta, "tool_calls")).entries()) {
    const { index, id } = { index: field(call, "index"), id: field(call, "id") };
    const name = field(field(call, "function"), "name");
    yield {
      type: "tool-call",
      // Some servers leave the index out, and send each call whole.
      index: typeof index === "number" ? index : position,
      id: typeof id === "string" && id !== "" ? id : undefined,
      name: typeof name === "string" && name !== "" ? name : undefined,
      argsText: textOf(field(field(call, "function"), "arguments")),
    };
  }
  const reason = field(choice, "finish_reason");
  if (typeof reason === "string") yield { type: "finish", reason };
  const usage = field(event, "usage");
  const [inputTokens, outputTokens] = [field(usage, "prompt_tokens"), field(usage, "completion_tokens")];
  if (typeof inputTokens === "number" && typeof outputTokens === "number") {
    yield { type: "usage", inputTokens, outputTokens };
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
