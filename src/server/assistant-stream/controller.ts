/**
 * Writes an assistant stream by hand: `appendText` and its like open and close parts as needed, and chunks come out in the
 * order of the calls.
 */
import { createStreamId } from "../../shared/stream-id.ts";
import type { JsonObject } from "../../shared/json/json-value.ts";
import type {
  AssistantStreamChunk,
  PartInit,
  PartProviderMetadata,
  ToolCallApproval,
} from "../../shared/protocols/assistant-stream/index.ts";
import { resultChunk, type ToolResponseLike } from "./tool-response.ts";

/** Writes a text, a reasoning, or the text of arguments. After `close` nothing more is taken. */
export interface TextStreamController {
  append(textDelta: string, providerMetadata?: PartProviderMetadata): void;
  close(providerMetadata?: PartProviderMetadata): void;
}

/** Writes a tool call. */
export interface ToolCallStreamController {
  /** The arguments, as JSON text. */
  readonly argsText: TextStreamController;
  /** Sets the response. A final one closes the part; what comes afterwards is ignored. */
  setResponse(response: ToolResponseLike): void;
  /** Sets the call's gate, in place of an earlier one. */
  setApproval(approval: ToolCallApproval): void;
  /** Closes the part. Arguments that were never written are `{}`. */
  close(): void;
}

/** How a tool call begins. */
export interface ToolCallPartInit {
  readonly toolName: string;
  /** Made up where there is none. */
  readonly toolCallId?: string;
  /** The whole arguments, as text. */
  readonly argsText?: string;
  /** The whole arguments. */
  readonly args?: JsonObject;
  readonly response?: ToolResponseLike;
}

type InitOf<TType extends PartInit["type"]> = Omit<
  Extract<PartInit, { readonly type: TType }>,
  "type" | "parentId"
>;
type PartOf<TType extends PartInit["type"]> = Extract<PartInit, { readonly type: TType }>;

/** Writes an assistant stream. Once the stream has ended, or nobody reads it, calls change nothing. */
export interface AssistantStreamController {
  /** Adds to the text part that is open, or opens one. */
  appendText(textDelta: string): void;
  /** Adds to the reasoning part that is open, or opens one; with options always a new one. */
  appendReasoning(textDelta: string, options?: InitOf<"reasoning">): void;
  appendSource(source: PartOf<"source">): void;
  appendFile(file: PartOf<"file">): void;
  appendData(data: PartOf<"data">): void;
  addTextPart(options?: InitOf<"text">): TextStreamController;
  addReasoningPart(options?: InitOf<"reasoning">): TextStreamController;
  addToolCallPart(options: string | ToolCallPartInit): ToolCallStreamController;
  /** Writes a chunk as it is. The indices of its parts are the caller's business. */
  enqueue(chunk: AssistantStreamChunk): void;
  /** Writes another stream into this one as it comes; its parts get the next indices. The end waits for it. */
  merge(stream: ReadableStream<AssistantStreamChunk>): void;
  /** A controller whose parts belong to another one. */
  withParentId(parentId: string): AssistantStreamController;
  /** Closes what is open. The stream ends when merged streams have; its last chunk is a `message-finish`. */
  close(): void;
}

/** What is not known of an answer that was written by hand. */
const NO_USAGE = { inputTokens: 0, outputTokens: 0 };
/**
 * Makes a stream and the controller that writes it. The second of the pair is used by {@link createAssistantStream} too.
 */
export function createAssistantStreamController(): readonly [
  ReadableStream<AssistantStreamChunk>,
  AssistantStreamController,
] {
  const writer = createWriter();
  return [writer.stream, createController(writer, undefined)];
}

/**
 * Makes a stream that a callback writes. It ends when the callback has returned and merged streams have ended, with a
 * `message-finish`, the callback's own where it wrote one; when the callback throws, what is open is closed and the stream
 * errors with what was thrown.
 */
export function createAssistantStream(
  callback: (controller: AssistantStreamController) => PromiseLike<void> | void,
): ReadableStream<AssistantStreamChunk> {
  const writer = createWriter();
  const controller = createController(writer, undefined);
  void (async () => {
    try {
      await callback(controller);
      controller.close();
    } catch (error) {
      writer.fail(error);
    }
  })();
  return writer.stream;
}

/** What the controllers of one stream share. */
interface Writer {
  readonly stream: ReadableStream<AssistantStreamChunk>;
  enqueue(chunk: AssistantStreamChunk): void;
  /** Opens a part. `close` is called when the stream ends before the part does. */
  open(part: PartInit, close: () => void): number;
  closed(index: number): void;
  /** The part that `appendText` and `appendReasoning` write to. */
  current: { readonly kind: string; readonly text: TextStreamController } | undefined;
  merge(stream: ReadableStream<AssistantStreamChunk>): void;
  close(): void;
  fail(error: unknown): void;
}

function createWriter(): Writer {
  let parts = 0;
  let merging = 0;
  let sealed = false;
  let cancelled = false;
  let isWhole = false;
  /** Tool calls without a last result. */
  let waitingCalls = 0;
  /** The finish that somebody wrote: of this stream, or of a merged one, whose end is not this one's. */
  let finishChunk: AssistantStreamChunk | undefined;
  let failure: { readonly error: unknown } | undefined;
  /** Chunks that were not read yet. They are read before an error, which would else discard them. */
  let unread: AssistantStreamChunk[] = [];
  let changed = Promise.withResolvers<void>();
  const openParts = new Map<number, () => void>();
  const merged = new Set<ReadableStreamDefaultReader<AssistantStreamChunk>>();

  const writer: Writer = {
    current: undefined,
    stream: new ReadableStream(
      {
        async pull(controller) {
          while (unread.length === 0 && failure === undefined && !isWhole && !cancelled)
            await changed.promise;
          const chunk = unread.shift();
          if (chunk !== undefined) controller.enqueue(chunk);
          else if (failure !== undefined) controller.error(failure.error);
          else if (!cancelled) controller.close();
        },
        async cancel(reason) {
          cancelled = true;
          unread = [];
          notify();
          await Promise.allSettled(Array.from(merged, (reader) => reader.cancel(reason)));
        },
      },
      { highWaterMark: 0 },
    ),
    enqueue(chunk) {
      if (cancelled || failure !== undefined || isWhole) return;
      if (chunk.type === "message-finish") finishChunk = chunk;
      else {
        if (chunk.type === "part-start" && chunk.part.type === "tool-call") waitingCalls += 1;
        if (chunk.type === "result" && chunk.isPreliminary !== true) waitingCalls -= 1;
        unread.push(chunk);
      }
      notify();
    },
    open(part, close) {
      const index = parts;
      parts += 1;
      openParts.set(index, close);
      writer.enqueue({ type: "part-start", path: [], part });
      return index;
    },
    closed: (index) => void openParts.delete(index),
    merge(stream) {
      const reader = stream.getReader();
      merging += 1;
      merged.add(reader);
      pump(reader).catch(writer.fail);
    },
    close() {
      if (sealed) return;
      closeParts();
      sealed = true;
      finish();
    },
    fail(error) {
      if (failure !== undefined || isWhole) return;
      closeParts();
      failure = { error };
      for (const reader of merged) void reader.cancel(error).catch(() => {});
      notify();
    },
  };
  return writer;

  function notify(): void {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  }

  function closeParts(): void {
    writer.current = undefined;
    for (const close of openParts.values()) close();
  }

  /** The stream is whole when everybody who writes it is done. Its last chunk says so, as the protocol wants. */
  function finish(): void {
    if (!sealed || merging > 0 || isWhole || failure !== undefined) return;
    isWhole = true;
    const finishReason = waitingCalls > 0 ? "tool-calls" : "unknown";
    unread.push(finishChunk ?? { type: "message-finish", path: [], finishReason, usage: NO_USAGE });
    notify();
  }

  async function pump(reader: ReadableStreamDefaultReader<AssistantStreamChunk>): Promise<void> {
    /** Index of each part of the merged stream in this one. */
    const indices: number[] = [];
    for (;;) {
      const { done, value: chunk } = await reader.read();
      if (done) break;
      const [index, ...rest] = chunk.path;
      if (chunk.type === "part-start") {
        indices.push(parts);
        parts += 1;
        writer.enqueue(chunk);
      } else if (index === undefined) {
        writer.enqueue(chunk);
      } else {
        const mapped = indices[index];
        if (mapped !== undefined) writer.enqueue({ ...chunk, path: [mapped, ...rest] });
      }
    }
    merged.delete(reader);
    merging -= 1;
    finish();
  }
}

function createController(writer: Writer, parentId: string | undefined): AssistantStreamController {
  const parent = parentId === undefined ? {} : { parentId };

  /** Opens a part of its own: what `append…` was writing is whole. */
  function openPart(part: PartInit, close: () => void): number {
    writer.current?.text.close();
    writer.current = undefined;
    return writer.open({ ...part, ...parent }, close);
  }

  function addText(part: PartInit): TextStreamController {
    let isOpen = true;
    const text: TextStreamController = {
      append(textDelta, providerMetadata) {
        if (!isOpen) return;
        const metadata = providerMetadata === undefined ? {} : { providerMetadata };
        writer.enqueue({ type: "text-delta", path: [index], textDelta, ...metadata });
      },
      close(providerMetadata) {
        if (!isOpen) return;
        isOpen = false;
        writer.closed(index);
        const metadata = providerMetadata === undefined ? {} : { providerMetadata };
        writer.enqueue({ type: "part-finish", path: [index], ...metadata });
      },
    };
    const index = openPart(part, () => text.close());
    return text;
  }

  function addWhole(part: PartInit): void {
    const index = openPart(part, () => {});
    writer.closed(index);
    writer.enqueue({ type: "part-finish", path: [index] });
  }

  function appendTo(kind: "text" | "reasoning", textDelta: string): void {
    const name = `${kind} ${parentId ?? ""}`;
    if (writer.current?.kind !== name) {
      const text = addText({ type: kind });
      writer.current = { kind: name, text };
    }
    writer.current.text.append(textDelta);
  }

  return {
    appendText: (textDelta) => appendTo("text", textDelta),
    appendReasoning(textDelta, options) {
      if (options !== undefined) {
        const text = addText({ type: "reasoning", ...options });
        writer.current = { kind: `reasoning ${parentId ?? ""}`, text };
        if (textDelta === "") return;
      }
      appendTo("reasoning", textDelta);
    },
    appendSource: addWhole,
    appendFile: addWhole,
    appendData: addWhole,
    addTextPart: (options) => addText({ type: "text", ...options }),
    addReasoningPart: (options) => addText({ type: "reasoning", ...options }),
    addToolCallPart(options) {
      const init = typeof options === "string" ? { toolName: options } : options;
      const { toolName, toolCallId = createStreamId(), args, argsText, response } = init;
      const call = createToolCall(writer, (close) =>
        openPart({ type: "tool-call", toolCallId, toolName }, close),
      );
      const text = argsText ?? (args === undefined ? undefined : JSON.stringify(args));
      if (text !== undefined) {
        call.argsText.append(text);
        call.argsText.close();
      }
      if (response !== undefined) call.setResponse(response);
      return call;
    },
    enqueue(chunk) {
      writer.enqueue(chunk);
    },
    merge: (stream) => writer.merge(stream),
    withParentId: (id) => createController(writer, id),
    close: () => writer.close(),
  };
}

function createToolCall(writer: Writer, open: (close: () => void) => number): ToolCallStreamController {
  let isOpen = true;
  let hasArgs = false;
  let argsAreOpen = true;

  function finishArgs(): void {
    if (!argsAreOpen) return;
    argsAreOpen = false;
    if (!hasArgs) writer.enqueue({ type: "text-delta", path: [index], textDelta: "{}" });
    writer.enqueue({ type: "tool-call-args-text-finish", path: [index] });
  }

  const call: ToolCallStreamController = {
    argsText: {
      append(textDelta) {
        if (!argsAreOpen) return;
        hasArgs = true;
        writer.enqueue({ type: "text-delta", path: [index], textDelta });
      },
      close: finishArgs,
    },
    setResponse(response) {
      if (!isOpen) return;
      finishArgs();
      writer.enqueue(resultChunk(index, response));
      if (response.isPreliminary !== true) call.close();
    },
    setApproval(approval) {
      if (isOpen) writer.enqueue({ type: "tool-call-approval", path: [index], approval });
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      finishArgs();
      writer.closed(index);
      writer.enqueue({ type: "part-finish", path: [index] });
    },
  };
  const index = open(call.close);
  return call;
}
