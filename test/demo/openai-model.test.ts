/** The OpenAI-compatible model against a real HTTP server that speaks its API. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assistantStream, type AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";
import type { ModelError } from "../../demo/server/models/model.ts";
import { createOpenAiModel } from "../../demo/server/models/openai/openai-model.ts";
import { calculate } from "../../demo/server/tools/calculate.ts";
import { startScriptedModel, type ScriptedModel } from "../support/scripted-model.ts";

let server: ScriptedModel;

beforeAll(async () => {
  server = await startScriptedModel();
});

afterAll(() => server.close());

describe("the request", () => {
  it("has the conversation, the model, the key and the tools", async () => {
    const turns = [
      { role: "user", text: "Hello" },
      { role: "assistant", text: "Hi." },
      { role: "user", text: "And?" },
    ] as const;
    const answer = fold(modelOf({ apiKey: "key-1" }).respond(turns, never()));
    const run = await server.run("And?");
    run.finish();
    await answer;
    expect(run.request.headers.authorization).toBe("Bearer key-1");
    expect(run.request.body).toMatchObject({ model: "scripted-1", stream: true });
    expect(run.request.body.messages.slice(1)).toEqual([
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi." },
      { role: "user", content: "And?" },
    ]);
    expect(run.request.body.tools?.map((tool) => tool.function.name)).toEqual(["calculate"]);
  });

  it("names the first model that the server lists where none is set", async () => {
    const answer = fold(modelOf({ model: undefined }).respond(asking("Which model?"), never()));
    const run = await server.run("Which model?");
    run.finish();
    await answer;
    expect(run.request.body.model).toBe("scripted-1");
  });

  it("goes without tools from then on where the server refuses them", async () => {
    const model = modelOf();
    server.refuse(400, '{"error":"this model does not support tools"}');
    const answer = fold(model.respond(asking("No tools?"), never()));
    const run = await server.run("No tools?");
    expect(run.request.body.tools).toBeUndefined();
    run.write("None.");
    run.finish();
    expect((await answer).parts).toMatchObject([{ type: "text", text: "None." }]);
    const again = fold(model.respond(asking("Still none?"), never()));
    const next = await server.run("Still none?");
    expect(next.request.body.tools).toBeUndefined();
    next.finish();
    await again;
  });
});

describe("the answer", () => {
  it("has the content as text, cut anywhere, also inside a character", async () => {
    const answer = fold(modelOf().respond(asking("Characters?"), never()));
    const run = await server.run("Characters?");
    run.write("Grüße, 世界 👩‍🚀!");
    run.finish();
    const message = await answer;
    expect(message.parts).toMatchObject([{ type: "text", text: "Grüße, 世界 👩‍🚀!" }]);
    expect(message.status).toEqual({ type: "complete", reason: "stop" });
  });

  it("has reasoning under either name, apart from the text", async () => {
    const answer = fold(modelOf().respond(asking("Think?"), never()));
    const run = await server.run("Think?");
    run.delta({ reasoning_content: "One, " });
    run.delta({ reasoning: "two." });
    run.delta({ content: "Two." });
    run.finish();
    expect((await answer).parts).toMatchObject([
      { type: "reasoning", text: "One, two." },
      { type: "text", text: "Two." },
    ]);
  });

  it("has a tool call with its arguments as they come, runs the tool and tells the model its result", async () => {
    const answer = fold(modelOf().respond(asking("6 * 7?"), never()));
    const first = await server.run("6 * 7?");
    first.delta({ tool_calls: [{ index: 0, id: "c1", function: { name: "calculate", arguments: "" } }] });
    first.delta({ tool_calls: [{ index: 0, function: { arguments: '{"expression":' } }] });
    first.delta({ tool_calls: [{ index: 0, function: { arguments: '"6 * 7"}' } }] });
    first.finish("tool_calls");
    const second = await server.run("6 * 7?");
    expect(second.request.body.messages.slice(-2)).toMatchObject([
      { role: "assistant", tool_calls: [{ id: "c1", function: { arguments: '{"expression":"6 * 7"}' } }] },
      { role: "tool", tool_call_id: "c1" },
    ]);
    second.write("42.");
    second.finish();
    const message = await answer;
    expect(message.parts).toMatchObject([
      { type: "tool-call", toolName: "calculate", args: { expression: "6 * 7" }, result: { value: 42 } },
      { type: "text", text: "42." },
    ]);
    expect(message.status).toEqual({ type: "complete", reason: "stop" });
  });

  it("keeps the order of parts where the model speaks, calls, and speaks again", async () => {
    const answer = fold(modelOf().respond(asking("Order?"), never()));
    const first = await server.run("Order?");
    first.write("Let me see.");
    for (const index of [0, 1]) {
      const call = { name: "calculate", arguments: `{"expression":"${index} + 1"}` };
      first.delta({ tool_calls: [{ index, id: `c${index}`, function: call }] });
    }
    first.finish("tool_calls");
    const second = await server.run("Order?");
    second.write("Seen.");
    second.finish();
    expect((await answer).parts).toMatchObject([
      { type: "text", text: "Let me see." },
      { type: "tool-call", toolCallId: "c0", result: { value: 1 } },
      { type: "tool-call", toolCallId: "c1", result: { value: 2 } },
      { type: "text", text: "Seen." },
    ]);
  });

  it("tells the model of a tool that is not there, and of arguments that make no sense", async () => {
    const answer = fold(modelOf().respond(asking("Nonsense?"), never()));
    const first = await server.run("Nonsense?");
    first.delta({ tool_calls: [{ index: 0, id: "c0", function: { name: "fly", arguments: "{}" } }] });
    first.delta({ tool_calls: [{ index: 1, id: "c1", function: { name: "calculate", arguments: "{" } }] });
    first.finish("tool_calls");
    const second = await server.run("Nonsense?");
    second.finish();
    expect((await answer).parts).toMatchObject([
      { isError: true, result: "There is no tool named fly." },
      { isError: true, result: "The arguments are not a JSON object." },
    ]);
  });

  it("says why it is incomplete where it was cut for length", async () => {
    const answer = fold(modelOf().respond(asking("Long?"), never()));
    const run = await server.run("Long?");
    run.write("And so on");
    run.finish("length");
    expect((await answer).status).toEqual({ type: "incomplete", reason: "length" });
  });
});

describe("a failure", () => {
  it("of the connection in the middle is no end", async () => {
    const answer = fold(modelOf().respond(asking("Cut?"), never()));
    const run = await server.run("Cut?");
    run.write("Half an ");
    run.cut();
    await expect(answer).rejects.toMatchObject({
      publicMessage: "The model's answer broke off before its end.",
    });
  });

  it("of a response that ends without its end is no end either", async () => {
    const answer = fold(modelOf().respond(asking("Short?"), never()));
    const run = await server.run("Short?");
    run.write("Half an ");
    run.end();
    await expect(answer).rejects.toMatchObject({
      publicMessage: "The model's answer broke off before its end.",
    });
  });

  it.each([
    [401, "The model server refused the key (401). Check OPENAI_API_KEY."],
    [404, "The model server does not know this model or path (404). Check MODEL and OPENAI_BASE_URL."],
    [429, "The model server is busy, or its quota is used up (429)."],
    [500, "The model server answered with an error (500)."],
  ])("of status %i has words for users, and the details for the log", async (status, publicMessage) => {
    server.refuse(status, "details for the log");
    const answer = fold(modelOf().respond(asking("Refused?"), never()));
    await expect(answer).rejects.toMatchObject({
      publicMessage,
      message: expect.stringContaining("details for the log"),
    } satisfies Partial<ModelError>);
  });

  it("that the stream tells of ends the answer", async () => {
    const answer = fold(modelOf().respond(asking("Overloaded?"), never()));
    const run = await server.run("Overloaded?");
    run.raw('data: {"error":{"message":"overloaded"}}\n\n');
    await expect(answer).rejects.toMatchObject({
      publicMessage: "The model failed in the middle of its answer.",
    });
  });

  it("of a server that is not there says what to look at", async () => {
    const gone = await startScriptedModel();
    await gone.close();
    const answer = fold(modelOf({ baseUrl: gone.url }).respond(asking("Anybody?"), never()));
    await expect(answer).rejects.toMatchObject({
      publicMessage: "The model server did not answer. Is it running, and is OPENAI_BASE_URL right?",
    });
  });
});

it("lets go of the server at once when the signal fires", async () => {
  const stop = new AbortController();
  const answer = fold(modelOf().respond(asking("Stop?"), stop.signal));
  const run = await server.run("Stop?");
  run.write("Half an ");
  stop.abort(new Error("stopped"));
  await expect(answer).rejects.toThrow("stopped");
  await run.closed;
});

function modelOf(options: Partial<Parameters<typeof createOpenAiModel>[0]> = {}) {
  return createOpenAiModel({
    baseUrl: server.url,
    apiKey: undefined,
    model: "scripted-1",
    tools: [calculate],
    ...options,
  });
}

function asking(text: string) {
  return [{ role: "user", text }] as const;
}

function never(): AbortSignal {
  return new AbortController().signal;
}

/** The message that chunks make. */
async function fold(chunks: AsyncIterable<object>): Promise<AssistantMessage> {
  const fold = assistantStream.fold();
  for await (const chunk of chunks) fold.apply(JSON.stringify(chunk));
  return fold.view();
}
