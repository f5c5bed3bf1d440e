import { describe, expect, it, vi } from "vitest";
import {
  createAssistantStream,
  ToolResponse,
  toolResultStream,
  type Tool,
} from "../../../src/server/index.ts";
import {
  AssistantMessageAccumulator,
  type AssistantMessagePart,
} from "../../../src/shared/protocols/assistant-stream/index.ts";

/** The call's part after a stream that calls the tool `t` with these arguments has ended. */
async function callOf(
  tool: Tool | undefined,
  options: { args?: string; signal?: AbortSignal } = {},
): Promise<AssistantMessagePart | undefined> {
  const { args = '{"a":1}', signal = new AbortController().signal } = options;
  const stream = createAssistantStream((controller) => {
    const call = controller.addToolCallPart({ toolName: "t", toolCallId: "c" });
    call.argsText.append(args);
    call.argsText.close();
  });
  const messages = await Array.fromAsync(
    stream
      .pipeThrough(toolResultStream(tool === undefined ? {} : { t: tool }, signal))
      .pipeThrough(new AssistantMessageAccumulator()),
  );
  return messages.at(-1)?.parts[0];
}

describe("toolResultStream", () => {
  it("runs the tool with its arguments, and writes its result before the message ends", async () => {
    const execute = vi.fn(async () => ({ sum: 2 }));
    expect(await callOf({ execute })).toMatchObject({ state: "result", result: { sum: 2 }, isError: false });
    expect(execute).toHaveBeenCalledWith({ a: 1 }, { toolCallId: "c", abortSignal: expect.any(AbortSignal) });
  });

  it("lets a tool say more than its result", async () => {
    const execute = () =>
      new ToolResponse({ result: 1, artifact: [2], modelContent: [{ type: "text", text: "one" }] });
    expect(await callOf({ execute })).toMatchObject({
      result: 1,
      artifact: [2],
      modelContent: [{ type: "text", text: "one" }],
    });
  });

  it("gives the model what toModelOutput makes of the result", async () => {
    const toModelOutput = vi.fn<NonNullable<Tool["toModelOutput"]>>(() => [
      { type: "file", data: "aGk=", mediaType: "text/plain" },
    ]);
    const part = await callOf({ execute: () => "a file", toModelOutput });
    expect(toModelOutput).toHaveBeenCalledWith({ toolCallId: "c", input: { a: 1 }, output: "a file" });
    expect(part).toMatchObject({ result: "a file", modelContent: [{ type: "file", data: "aGk=" }] });
  });

  it("keeps the result when toModelOutput throws, and warns", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    const part = await callOf({
      execute: () => "a file",
      toModelOutput: () => {
        throw new Error("cannot");
      },
    });
    expect(part).toMatchObject({ result: "a file", isError: false });
    expect(part).not.toHaveProperty("modelContent");
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
  });

  it("makes an error of a tool that throws, and of arguments that are no object", async () => {
    const execute = () => Promise.reject(new Error("no such city"));
    expect(await callOf({ execute })).toMatchObject({ result: "Error: no such city", isError: true });
    expect(await callOf({ execute: () => 1 }, { args: "[1]" })).toMatchObject({ isError: true });
  });

  it("makes an error of a tool that was aborted, whether or not it listens", async () => {
    const abort = new AbortController();
    const part = callOf({ execute: () => new Promise(() => {}) }, { signal: abort.signal });
    abort.abort();
    expect(await part).toMatchObject({ result: "Tool execution was cancelled.", isError: true });
    expect(await callOf({ execute: () => 1 }, { signal: abort.signal })).toMatchObject({ isError: true });
  });

  it("leaves calls alone of tools that are run elsewhere", async () => {
    expect(await callOf({})).toMatchObject({ state: "call" });
    expect(await callOf(undefined)).not.toHaveProperty("result");
  });
});
