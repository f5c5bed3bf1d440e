/** One answer with every kind of part, and with every kind of text that is easily broken. */
import type { AssistantStreamChunk } from "../../src/shared/protocols/assistant-stream/index.ts";

const args = JSON.stringify({
  query: 'quotes " and \\ backslashes \u2028 and 👩‍🚀',
  nested: { list: [1, -2.5e3, true, null, { deep: "世界" }], empty: {}, none: [] },
  __proto__: "a key like any other",
});

/** The arguments cut into small pieces, some of them inside an escape. */
const argsPieces = (args.match(/.{1,9}/gsu) ?? []).map((textDelta): AssistantStreamChunk => ({
  type: "text-delta",
  path: [2],
  textDelta,
}));

const usage = { inputTokens: 12, outputTokens: 34 };

/** The chunks, in order. */
export const everyPartChunks: readonly AssistantStreamChunk[] = [
  { type: "step-start", path: [], messageId: "step-a" },
  { type: "part-start", path: [], part: { type: "reasoning", unstable_summary: "Thinking it over" } },
  { type: "text-delta", path: [0], textDelta: "First, " },
  { type: "text-delta", path: [0], textDelta: "let me look that up.\r\n" },
  { type: "part-finish", path: [0] },
  { type: "part-start", path: [], part: { type: "text", providerMetadata: { acme: { id: "t1" } } } },
  { type: "text-delta", path: [1], textDelta: "Héllo 👩‍🚀, " },
  {
    type: "text-delta",
    path: [1],
    textDelta: 'wörld: 世界\n\n```ts\nconst finish = \'{"type":"finish"}\';\n```\n',
  },
  { type: "part-start", path: [], part: { type: "tool-call", toolCallId: "call-1", toolName: "search" } },
  ...argsPieces,
  { type: "tool-call-args-text-finish", path: [2] },
  {
    type: "tool-call-approval",
    path: [2],
    approval: { id: "gate-1", approved: true, reason: "a user said so" },
  },
  {
    type: "result",
    path: [2],
    result: { found: 1 },
    isError: false,
    isPreliminary: true,
    artifact: { page: 1 },
  },
  {
    type: "result",
    path: [2],
    result: { found: 3, text: 'data: [DONE]\n\ndata: {"type":"message-finish"}' },
    isError: false,
    artifact: { table: [["a", 1]] },
    modelContent: [
      { type: "text", text: "Found three." },
      { type: "file", data: "aGk=", mediaType: "text/plain", filename: "found.txt" },
    ],
  },
  { type: "part-finish", path: [2] },
  {
    type: "part-start",
    path: [],
    part: { type: "tool-call", toolCallId: "call-2", toolName: "fail", parentId: "call-1" },
  },
  { type: "text-delta", path: [3], textDelta: "{}" },
  { type: "tool-call-args-text-finish", path: [3] },
  { type: "result", path: [3], result: "Error: no such page", isError: true },
  { type: "part-finish", path: [3] },
  {
    type: "part-start",
    path: [],
    part: {
      type: "source",
      sourceType: "url",
      id: "s1",
      url: "https://example.com/?a=1&b=2",
      title: "Exämple",
    },
  },
  { type: "part-finish", path: [4] },
  {
    type: "part-start",
    path: [],
    part: { type: "source", sourceType: "document", id: "s2", title: "Paper", mediaType: "application/pdf" },
  },
  { type: "part-finish", path: [5] },
  {
    type: "part-start",
    path: [],
    part: { type: "file", data: "R0lGODlhAQABAAAAACw=", mimeType: "image/gif" },
  },
  { type: "part-finish", path: [6] },
  {
    type: "part-start",
    path: [],
    part: { type: "data", name: "chart", data: { points: [[0, 1.5]], label: null } },
  },
  { type: "part-finish", path: [7] },
  { type: "annotations", path: [], annotations: [{ cite: 1 }, "note"] },
  { type: "data", path: [], data: [{ progress: 0.5 }, null] },
  {
    type: "update-state",
    path: [],
    operations: [
      { type: "set", path: [], value: { title: "", steps: [] } },
      { type: "append-text", path: ["title"], value: "A " },
      { type: "append-text", path: ["title"], value: "title" },
      { type: "set", path: ["steps", "0"], value: { done: true } },
      { type: "set", path: ["a", "b"], value: 1 },
    ],
  },
  { type: "step-finish", path: [], finishReason: "tool-calls", usage, isContinued: true },
  { type: "step-start", path: [], messageId: "step-b" },
  { type: "part-start", path: [], part: { type: "text" } },
  { type: "text-delta", path: [8], textDelta: "| a | b |\n|---|---|\n" },
  { type: "text-delta", path: [8], textDelta: "| 1 | 2 |\n" },
  { type: "part-finish", path: [8], providerMetadata: { acme: { id: "t2" } } },
  { type: "step-finish", path: [], finishReason: "stop", usage, isContinued: false },
  { type: "message-finish", path: [], finishReason: "stop", usage },
];

/** The chunks as payloads. */
export const everyPartPayloads: readonly string[] = everyPartChunks.map((chunk) => JSON.stringify(chunk));
