import { describe, expect, it } from "vitest";
import { createBuiltInModel } from "../../demo/server/models/built-in/built-in-model.ts";
import { assistantStream, type AssistantMessage } from "../../src/shared/protocols/assistant-stream/index.ts";

const model = createBuiltInModel({
  tokensPerSecond: 100_000,
  now: () => new Date("2026-11-23T12:00:00Z"),
  random: () => 0,
});

describe("the built-in model", () => {
  it.each([
    ["What is 19% of 84.50, plus 12?", "calculate", "28.055"],
    ["17 * (23 + 4)^2", "calculate", "12,393"],
    ["What is the square root of 144?", "calculate", "= 12"],
    ["Which weekday is 29 February 2028?", "calendar", "is a Tuesday"],
    ["How many days until Christmas?", "calendar", "32 days"],
    ["How much is 26.2 miles in km?", "convert_units", "42.1648 km"],
    ["convert 72 F to C please", "convert_units", "22.2222 °C"],
    ["How many r are in strawberry?", "count_text", "“r” is there 3 times"],
    ['How many words are in "the quick brown fox"?', "count_text", "4 words, 16 letters"],
    ["Tell me a story about an owl", "roll_dice", "The owl and the broken line"],
    ["How does an answer survive a reload?", "search_notes", "How an answer survives a reload"],
    ["Why is nothing lost or shown twice?", "search_notes", "Exactly once"],
    ["Who are you?", "search_notes", "built-in model"],
  ])("answers %j with its tool %s", async (question, toolName, words) => {
    const { parts, status } = await answerTo(question);
    const [reasoning, tool, text] = parts;
    expect(reasoning).toMatchObject({ type: "reasoning", text: expect.stringContaining(question) });
    expect(tool).toMatchObject({ type: "tool-call", toolName, state: "result", isError: false });
    expect(text).toMatchObject({ type: "text", text: expect.stringContaining(words) });
    expect(status).toEqual({ type: "complete", reason: "stop" });
  });

  it("says that it does not know where it does not", async () => {
    const { parts } = await answerTo("What is the capital of France?");
    expect(parts.at(-1)).toMatchObject({ text: expect.stringContaining("**I do not know.**") });
  });

  it("shows a tool that declines, and answers all the same", async () => {
    const { parts, status } = await answerTo("5 / 0");
    expect(parts[1]).toMatchObject({ isError: true, result: "Nothing can be divided by zero." });
    expect(parts[2]).toMatchObject({ text: expect.stringContaining("declined") });
    expect(status.type).toBe("complete");
  });

  it.each(["", " ", "?", "+", "\u0000", "[".repeat(500), "1".repeat(400), "9^9^9^9", "in ".repeat(3_000)])(
    "has an answer to %j",
    async (question) => {
      const { status } = await answerTo(question);
      expect(status.type).toBe("complete");
    },
  );

  it("writes for about 15 seconds at 40 tokens a second", async () => {
    for (const question of ["Who are you?", "How does an answer survive a reload?", "Tell me a story"]) {
      let tokens = 0;
      for await (const chunk of chunksFor(question)) if (chunk.type === "text-delta") tokens++;
      expect(tokens / 40).toBeGreaterThan(10);
      expect(tokens / 40).toBeLessThan(20);
    }
  });

  it("stops at once when the signal fires", async () => {
    const stop = new AbortController();
    const slow = createBuiltInModel({ tokensPerSecond: 0.001 });
    const chunks = slow.respond([{ role: "user", text: "17 * 3" }], stop.signal)[Symbol.asyncIterator]();
    await chunks.next();
    const next = chunks.next();
    stop.abort();
    await expect(next).rejects.toThrow("aborted");
  });
});

function chunksFor(question: string) {
  return model.respond([{ role: "user", text: question }], new AbortController().signal);
}

async function answerTo(question: string): Promise<AssistantMessage> {
  const fold = assistantStream.fold();
  for await (const chunk of chunksFor(question)) fold.apply(JSON.stringify(chunk));
  return fold.view();
}
