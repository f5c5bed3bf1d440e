/** Finds notes that answer a question. */
import { NOTES, type Note } from "./notes.ts";
import { objectSchema, textArg, type Tool } from "./tool.ts";

/** Result of {@link searchNotes}: the best match first. */
export type NoteMatches = {
  readonly found: number;
  readonly matches: readonly { readonly title: string; readonly score: number }[];
};

/** Searches the notes about resumable answers. */
export const searchNotes: Tool<{ readonly query: string }, NoteMatches> = {
  name: "search_notes",
  description: "Searches notes about rejoin, the package that keeps this chat's answers alive over reloads.",
  parameters: objectSchema({ query: { type: "string" } }),
  readArgs: (args) => ({ query: textArg(args, "query") }),
  run({ query }) {
    const matches = NOTES.map((note) => ({ title: note.title, score: scoreOf(note, query.toLowerCase()) }))
      .filter(({ score }) => score > 0)
      .toSorted((a, b) => b.score - a.score)
      .slice(0, 3);
    return { found: matches.length, matches };
  },
};

/** The note of a title. */
export function noteOf(title: string): Note | undefined {
  return NOTES.find((note) => note.title === title);
}

/** A share of the question's words, so that a long question does not win by its length. */
function scoreOf(note: Note, query: string): number {
  const words = query.match(/[\p{L}\p{N}.-]*[\p{L}\p{N}]/gu) ?? [];
  const hits = note.keywords.filter((keyword) =>
    keyword.includes(" ") ? query.includes(keyword) : words.some((word) => isMatch(word, keyword)),
  ).length;
  return Number((hits / Math.sqrt(Math.max(words.length, 1))).toFixed(2));
}

function isMatch(word: string, keyword: string): boolean {
  return keyword.length < 4 ? word === keyword : word.startsWith(keyword);
}
