/** Everything else: what the notes have, or an honest word that they do not. */
import { noteOf, searchNotes, type NoteMatches } from "../../tools/search-notes.ts";
import { planWith, type Plan } from "./plan.ts";

/** Looks into the notes; the last resort, so it has a plan for every question. */
export function answerFromNotes(question: string): Plan {
  return planWith({
    reasoning: `Nothing to calculate here, no date, no unit; so I look into my notes. They are about one subject, how an answer outlives the connection that carries it. If they have something on this question I give it as it stands. If they do not, I say so: an answer that is made up would be easy to stream, and worth nothing once it had arrived.`,
    tool: searchNotes,
    args: { query: question.slice(0, 200) },
    answer: (found) => (found.matches.length > 0 ? noteAnswer(found) : unknownAnswer(question)),
  });
}

function noteAnswer({ matches }: NoteMatches): string {
  const [best, ...others] = matches.flatMap(({ title }) => noteOf(title) ?? []);
  const related = others.map((note) => `- **${note.title}.** ${note.summary}`);
  return [
    `## ${best?.title ?? ""}`,
    best?.body ?? "",
    ...(related.length > 0 ? ["## Related", related.join("\n")] : []),
  ].join("\n\n");
}

const COMMON =
  /^(?:the|and|are|was|were|can|could|would|should|will|you|your|please|what|which|when|where|who|why|how|does|did|tell|about|explain|give|write|make|for|with|this|that|there|have|has|some|any|into|from|like|long|short)$/i;

function unknownAnswer(question: string): string {
  const words = question.match(/[\p{L}\p{N}'’-]+/gu) ?? [];
  const subject =
    words
      .filter((word) => word.length > 2 && !COMMON.test(word))
      .slice(-3)
      .join(" ") || "that";
  return `**I do not know.** I am the built-in model of this demo: a small program with a few tools and some notes, no network and no language model behind me. My notes have nothing about *${subject}*, and I would rather say so than invent it.

## What I did with your question

1. I looked for **arithmetic** in it, and found none.
2. I looked for a **date**, a **unit** and something to **count**.
3. I searched my **notes** for its ${words.length === 1 ? "one word" : `${words.length} words`}, without a match; the tool call above shows it.

## What I can answer

| ask me | and I use |
| :--- | :--- |
| *What is 19% of 84.50, plus 12?* | a calculator that shows its steps |
| *Which weekday is 29 February 2028?* | a calendar |
| *How much is 26.2 miles in km?* | a unit converter |
| *How many r are in strawberry?* | a letter counter |
| *Tell me a story about ${subject === "that" ? "a lighthouse" : subject.toLowerCase()}* | dice |
| *How does an answer survive a reload?* | my notes |

## For a real answer

Start the demo with any OpenAI-compatible server, and this page asks that instead:

\`\`\`sh
OPENAI_BASE_URL=http://localhost:11434/v1 MODEL=llama3.2 npm start
\`\`\`

Even an answer like this one deserves to arrive whole, though. Reload now, if you like: you will be told that I do not know **exactly once**.`;
}
