/** Counts what is in a text. */
import { objectSchema, textArg, type Tool } from "./tool.ts";

/** Result of {@link countText}. */
export type TextCounts = {
  readonly characters: number;
  readonly letters: number;
  readonly words: number;
  readonly longestWord: string;
  readonly vowels: number;
  /** How often each letter is there, the most frequent first. */
  readonly frequency: readonly { readonly letter: string; readonly count: number }[];
};

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Counts characters as people see them, letters and words. */
export const countText: Tool<{ readonly text: string }, TextCounts> = {
  name: "count_text",
  description: "Counts characters, letters and words of a text. Use it instead of guessing.",
  parameters: objectSchema({ text: { type: "string" } }),
  readArgs: (args) => ({ text: textArg(args, "text") }),
  run({ text }) {
    const letters = [...text.toLowerCase()].filter((character) => /\p{L}/u.test(character));
    const words = text.match(/[\p{L}\p{N}'’-]+/gu) ?? [];
    const counts = new Map<string, number>();
    for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    return {
      characters: [...GRAPHEMES.segment(text)].length,
      letters: letters.length,
      words: words.length,
      longestWord: words.reduce((longest, word) => (word.length > longest.length ? word : longest), ""),
      vowels: letters.filter((letter) => "aeiou".includes(letter)).length,
      frequency: [...counts]
        .map(([letter, count]) => ({ letter, count }))
        .toSorted((a, b) => b.count - a.count || a.letter.localeCompare(b.letter)),
    };
  },
};
