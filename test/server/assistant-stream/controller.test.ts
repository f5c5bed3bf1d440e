import { createAssistantStream as createTheirs } from "assistant-stream";
import { describe, expect, it, vi } from "vitest";
import {
  createAssistantStream,
  createAssistantStreamController,
  type AssistantStreamController,
} from "../../../src/server/index.ts";
import {
  AssistantMessageAccumulator,
  type AssistantMessage,
  type AssistantStreamChunk,
} from "../../../src/shared/protocols/assistant-stream/index.ts";
import { streamOf } from "../../support/streams.ts";

async function chunksOf(stream: ReadableStream<AssistantStreamChunk>): Promise<AssistantStreamChunk[]> {
  return Array.fromAsync(stream);
}

async function messageOf(
  stream: ReadableStream<AssistantStreamChunk>,
): Promise<AssistantMessage | undefined> {
  return (await Array.fromAsync(stream.pipeThrough(new AssistantMessageAccumulator()))).at(-1);
}

/** Writes what both controllers know how to write. */
function writeAnswer(
  controller: Pick<
    AssistantStreamController,
    "appendText" | "appendReasoning" | "addTextPart" | "appendSource" | "appendData"
  >,
): void {
  controller.appendReasoning("Let me ");
  controller.appendReasoning("see.");
  controller.appendText("Hello, ");
  controller.appendText("world.");
  controller.appendSource({ type: "source", sourceType: "url", id: "s", url: "https://example.com" });
  const text = controller.addTextPart();
  text.append("A part of its own.");
  text.close();
  controller.appendData({ type: "data", name: "chart", data: [1, 2] });
  controller.appendText("The end.");
}

describe("an assistant stream written by hand", () => {
  it("is what assistant-stream's controller writes", async () => {
    const theirs: AssistantStreamChunk[] = JSON.parse(
      JSON.stringify(await Array.fromAsync(createTheirs(writeAnswer))),
    );
    expect(await messageOf(createAssistantStream(writeAnswer))).toEqual(await messageOf(streamOf(...theirs)));
  });

  it("opens and closes parts as they are needed", async () => {
    const chunks = await chunksOf(
      createAssistantStream((controller) => {
        controller.appendText("a");
        controller.appendText("b");
        controller.appendReasoning("c");
      }),
    );
    expect(chunks).toEqual([
      { type: "part-start", path: [], part: { type: "text" } },
      { type: "text-delta", path: [0], textDelta: "a" },
      { type: "text-delta", path: [0], textDelta: "b" },
      { type: "part-finish", path: [0] },
      { type: "part-start", path: [], part: { type: "reasoning" } },
      { type: "text-delta", path: [1], textDelta: "c" },
      { type: "part-finish", path: [1] },
      {
        type: "message-finish",
        path: [],
        finishReason: "unknown",
        usage: { inputTokens: 0, outputTokens: 0 },
      },
    ]);
  });

  it("writes tool calls: arguments as they come, a preliminary response, the last one", async () => {
    const message = await messageOf(
      createAssistantStream((controller) => {
        const call = controller.addToolCallPart({ toolName: "search", toolCallId: "c1" });
        call.argsText.append('{"q":');
        call.argsText.append('"x"}');
        call.setResponse({ result: { progress: 0.5 }, isPreliminary: true });
        call.setResponse({
          result: { found: 1 },
          modelContent: [{ type: "text", text: "one" }],
          artifact: { rows: [] },
        });
        call.setResponse({ result: "too late" });
        controller.addToolCallPart({
          toolName: "now",
          toolCallId: "c2",
          args: {},
          response: { result: undefined },
        });
        controller.addToolCallPart({
          toolName: "fail",
          toolCallId: "c3",
          response: { result: "no", isError: true },
        });
      }),
    );
    expect(message?.parts).toMatchObject([
      { toolCallId: "c1", state: "result", args: { q: "x" }, result: { found: 1 }, artifact: { rows: [] } },
      { toolCallId: "c2", state: "result", args: {}, result: "<no result>" },
      { toolCallId: "c3", state: "result", argsText: "{}", result: "no", isError: true },
    ]);
    expect(message?.parts[0]).not.toHaveProperty("isPreliminary");
  });

  it("makes an id for a tool call that has none", async () => {
    const [first] = await chunksOf(
      createAssistantStream((controller) => void controller.addToolCallPart("now")),
    );
    expect(first).toMatchObject({ part: { toolName: "now", toolCallId: expect.stringMatching(/.{8}/) } });
  });

  it("merges other streams, whose parts get the next indices, and waits for them", async () => {
    const other = Promise.withResolvers<void>();
    const stream = createAssistantStream((controller) => {
      controller.appendText("first");
      controller.merge(
        createAssistantStream(async (inner) => {
          inner.appendText("inner ");
          await other.promise;
          inner.appendText("text");
          inner.appendReasoning("inner thought");
        }),
      );
      controller.addTextPart().append("second");
      other.resolve();
    });
    const message = await messageOf(stream);
    expect(message?.parts.map((part) => ("text" in part ? part.text : part.type)).toSorted()).toEqual([
      "first",
      "inner text",
      "inner thought",
      "second",
    ]);
  });

  it("ends once, with the finish that was written, and waits for tool calls that have no result", async () => {
    const usage = { inputTokens: 3, outputTokens: 4 };
    const written = await chunksOf(
      createAssistantStream((controller) => {
        controller.enqueue({ type: "message-finish", path: [], finishReason: "length", usage });
        controller.merge(createAssistantStream((inner) => inner.appendText("later")));
      }),
    );
    expect(written.filter((chunk) => chunk.type === "message-finish")).toHaveLength(1);
    expect(written.at(-1)?.type).toBe("message-finish");
    const call = await messageOf(
      createAssistantStream((controller) => void controller.addToolCallPart("ask")),
    );
    expect(call?.status).toEqual({ type: "requires-action", reason: "tool-calls" });
  });

  it("attaches parts to a parent", async () => {
    const [first] = await chunksOf(
      createAssistantStream((controller) => controller.withParentId("call-1").appendText("child")),
    );
    expect(first).toMatchObject({ part: { type: "text", parentId: "call-1" } });
  });

  it("errors with what its callback threw, after all that was written, with open parts closed", async () => {
    const seen: AssistantStreamChunk[] = [];
    const stream = createAssistantStream(async (controller) => {
      controller.appendText("a");
      await Promise.resolve();
      throw new Error("the model failed");
    });
    await expect(
      (async () => {
        for await (const chunk of stream) seen.push(chunk);
      })(),
    ).rejects.toThrow("the model failed");
    expect(seen.map((chunk) => chunk.type)).toEqual(["part-start", "text-delta", "part-finish"]);
  });

  it("errors when a merged stream does", async () => {
    const stream = createAssistantStream((controller) => {
      controller.merge(
        createAssistantStream(() => {
          throw new Error("inner");
        }),
      );
    });
    await expect(chunksOf(stream)).rejects.toThrow("inner");
  });

  it("takes no harm from calls after its end, or when nobody reads it", async () => {
    const [stream, controller] = createAssistantStreamController();
    controller.appendText("a");
    const cancelled = vi.fn();
    controller.merge(new ReadableStream({ cancel: cancelled }));
    await stream.cancel("nobody");
    expect(cancelled).toHaveBeenCalledWith("nobody");
    controller.appendText("b");
    controller.addToolCallPart("late").setResponse({ result: 1 });
    controller.close();
    controller.close();
  });
});
