/** An answer for stories: reasoning, a tool call with its result, and Markdown of every kind. */
import type { AssistantStreamChunk } from "rejoin/protocols/assistant-stream";

const REASONING = `Somebody wants to know what a lost connection costs. I could recite it, but there is a tool that measures: I ask it for the events of the last answer, then I write up what it says.`;

const ANSWER = `A cut costs **nothing but time**: the log keeps what the connection could not carry.

## What was measured

| moment | on the server | on the screen |
| :--- | ---: | ---: |
| cut | event 231 | event 231 |
| three seconds later | event 350 | event 231 |
| joined again | event 352 | event 352 |

1. The page keeps the text and its place in the log.
2. It asks for what comes *after* that place.
3. It shows what was missing at once, then goes on.

\`\`\`ts
const { message, status } = useResumableStream(id);
\`\`\`

Nothing was sent twice, and nothing is missing: \`231 + 121 = 352\`.`;

const ARGS = JSON.stringify({ stream: "last", unit: "events" });

/** The chunks, in order. */
export const recordedAnswer: readonly AssistantStreamChunk[] = [
  { type: "part-start", path: [], part: { type: "reasoning" } },
  ...deltas(0, REASONING),
  { type: "part-finish", path: [0] },
  {
    type: "part-start",
    path: [],
    part: { type: "tool-call", toolCallId: "measure-1", toolName: "measure_log" },
  },
  ...deltas(1, ARGS),
  { type: "tool-call-args-text-finish", path: [1] },
  { type: "result", path: [1], result: { cutAt: 231, joinedAt: 352, missed: 121 }, isError: false },
  { type: "part-finish", path: [1] },
  { type: "part-start", path: [], part: { type: "text" } },
  ...deltas(2, ANSWER),
  { type: "part-finish", path: [2] },
  {
    type: "message-finish",
    path: [],
    finishReason: "stop",
    usage: { inputTokens: 9, outputTokens: 210 },
  },
];

function deltas(part: number, text: string): AssistantStreamChunk[] {
  return (text.match(/\s*\S{1,5}|\s+$/g) ?? []).map((textDelta) => ({
    type: "text-delta",
    path: [part],
    textDelta,
  }));
}
