import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EMPTY, mergeConversation, withQuestion } from "../../demo/client/chat/conversation-data.ts";
import { compactJson } from "../../demo/client/lib/compact-json.ts";
import { markdownBlocks } from "../../demo/client/lib/markdown-blocks.ts";
import { createNetworkSwitch } from "../../demo/client/lib/network-switch.ts";

describe("Markdown in blocks", () => {
  it("cuts between paragraphs, headings and tables", () => {
    const text = "# Title\n\nOne.\nTwo.\n\n| a |\n| - |\n| 1 |\n\nEnd";
    expect(markdownBlocks(text)).toEqual(["# Title\n\n", "One.\nTwo.\n\n", "| a |\n| - |\n| 1 |\n\n", "End"]);
  });

  it("keeps a fence whole, with its blank lines", () => {
    expect(markdownBlocks("```js\na\n\nb\n```\n\nafter")).toEqual(["```js\na\n\nb\n```\n\n", "after"]);
  });

  it("keeps a fence whole that is not closed yet, and one inside another", () => {
    expect(markdownBlocks("````md\n```\n\n```\n\nstill")).toHaveLength(1);
  });

  it("keeps a loose list whole, with the text of its items", () => {
    expect(markdownBlocks("1. one\n\n   more of one\n\n2. two\n\nafter")).toEqual([
      "1. one\n\n   more of one\n\n2. two\n\n",
      "after",
    ]);
  });

  it("loses nothing, and leaves all blocks but the last as they are when more lines come", () => {
    const line = fc.constantFrom("text", "", "- item", "  more", "```", "# h", "| a |", "    code", "~~~");
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.nat(30), (lines, count) => {
        const text = lines.join("\n");
        const blocks = markdownBlocks(text);
        expect(blocks.join("")).toBe(text);
        const before = markdownBlocks(lines.slice(0, count).join("\n")).slice(0, -1);
        expect(blocks.slice(0, before.length)).toEqual(before);
      }),
    );
  });
});

describe("compact JSON", () => {
  it("puts on a line what fits there", () => {
    expect(compactJson({ a: [1, 2], b: {}, c: "x" })).toBe('{ "a": [1, 2], "b": {}, "c": "x" }');
  });

  it("indents what does not", () => {
    expect(compactJson({ list: ["x".repeat(40), "y".repeat(40)] })).toBe(
      `{\n  "list": [\n    "${"x".repeat(40)}",\n    "${"y".repeat(40)}"\n  ]\n}`,
    );
  });

  it("is the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(JSON.parse(compactJson(JSON.parse(text))))).toBe(text);
      }),
    );
  });
});

describe("a conversation in a tab", () => {
  const asked = withQuestion(EMPTY, "s1", "One?");

  it("keeps a question that the server does not have yet", () => {
    const merged = mergeConversation(asked, { messages: [], isFull: false, model: "m" });
    expect(merged.exchanges).toEqual(asked.exchanges);
    expect(merged.model).toBe("m");
  });

  it("takes the server's word for one that it has", () => {
    const merged = mergeConversation(asked, {
      messages: [
        { role: "user", text: "One?" },
        { role: "assistant", streamId: "s1", status: "done" },
      ],
      isFull: false,
      model: "m",
    });
    expect(merged.exchanges).toMatchObject([{ isConfirmed: true, answer: { status: "done" } }]);
  });

  it("forgets what the server had and has no more", () => {
    const confirmed = mergeConversation(asked, {
      messages: [
        { role: "user", text: "One?" },
        { role: "assistant", streamId: "s1", status: "streaming" },
      ],
      isFull: false,
      model: "m",
    });
    expect(mergeConversation(confirmed, { messages: [], isFull: false, model: "m" }).exchanges).toEqual([]);
  });

  it("shows a question that is sent again once", () => {
    expect(withQuestion(asked, "s1", "One?").exchanges).toHaveLength(1);
  });
});

describe("the network switch", () => {
  it("breaks off what is being read, refuses what comes, and lets through again", async () => {
    const network = createNetworkSwitch(async (_, init) => {
      const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array([1])) });
      return new Response(
        body.pipeThrough(new TransformStream(), { signal: init?.signal ?? new AbortController().signal }),
      );
    });
    const response = await network.fetch("http://localhost/");
    const reader = response.body?.getReader();
    await reader?.read();
    network.cut();
    await expect(reader?.closed).rejects.toThrow("The network was cut");
    await expect(network.fetch("http://localhost/")).rejects.toThrow("The network is cut");
    network.restore();
    await expect(network.fetch("http://localhost/")).resolves.toMatchObject({ status: 200 });
  });
});
