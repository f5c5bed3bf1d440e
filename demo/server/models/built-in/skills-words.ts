/** Questions about dates and words, and wishes for a story. */
import type { Tool } from "../../tools/tool.ts";
import type { CalendarDay } from "../../tools/calendar.ts";
import { findDate, isoDate } from "../../tools/dates.ts";
import { countText, type TextCounts } from "../../tools/count-text.ts";
import type { DiceRoll } from "../../tools/roll-dice.ts";
import { planWith, type Skill } from "./plan.ts";
import { storyOf } from "./story.ts";

/** Dates. */
export function answerDates(calendar: Tool<{ readonly date: string }, CalendarDay>, now: () => Date): Skill {
  return (question) => {
    if (
      !/\b(?:week|weekday|day|days|date|when|until|calendar|since|old|ago)\b|^\s*\d{4}-\d\d-\d\d\W*$/i.test(
        question,
      )
    ) {
      return null;
    }
    const date = findDate(question, now());
    if (date === null) return null;
    return planWith({
      reasoning: `There is a date in this question: ${isoDate(date)}. Weekdays by head are a party trick; the calendar tool does it without applause. I want the weekday, the week, and how far away it is, and while I am there a sheet of the whole month, because people who ask about one day usually plan around it.`,
      tool: calendar,
      args: { date: isoDate(date) },
      answer: (day) => dateAnswer(day),
    });
  };
}

/** Letters and words of something quoted. */
export const answerCounting: Skill = (question) => {
  if (!/\b(?:count|how many|how often|how long|letters?|words?|characters?|spell)\b/i.test(question))
    return null;
  const text = textToCount(question);
  if (text === null) return null;
  const letter = /\b(?:letters?\s+)?["'“]?([a-z])["'”]?(?:['’]?s)?\s+(?:are|is|in|does|do)\b/i.exec(
    question,
  )?.[1];
  return planWith({
    reasoning: `I am asked to count in "${text.slice(0, 60)}". This is where language models stumble: they see tokens, not letters, and strawberries suffer. I am no language model, but I stream in tokens too, so I do not trust myself and count with a tool, letter by letter.`,
    tool: countText,
    args: { text },
    answer: (counts) => countAnswer(text, counts, letter?.toLowerCase()),
  });
};

/** A story, with its turns by the dice. */
export function answerStory(dice: Tool<{ readonly count: number; readonly sides: number }, DiceRoll>): Skill {
  return (question) => {
    const match =
      /\b(?:story|tale|poem|fairy)\b(?:.*?\b(?:about|of|with)\s+(?:an?\s+|the\s+)?(.{2,60}))?/i.exec(
        question,
      );
    if (match === null) return null;
    const hero =
      (match[1] ?? "messenger")
        .replace(/[.?!,;:"“”].*$/, "")
        .trim()
        .toLowerCase() || "messenger";
    return planWith({
      reasoning: `A story about a ${hero}, then. I have a beginning and an end in me, but I am bad at deciding, so I let the dice choose where it happens, what goes wrong and who helps. Three dice, six sides. Whatever they say, it has to be a story in which something breaks off and is taken up again, since that is the one thing I know about.`,
      tool: dice,
      args: { count: 3, sides: 6 },
      answer: ({ rolls }) => storyOf(hero, rolls),
    });
  };
}

function dateAnswer(day: CalendarDay): string {
  const away = Math.abs(day.daysFromToday);
  const distance =
    day.daysFromToday === 0
      ? "That is **today**."
      : day.daysFromToday > 0
        ? `That is **${count(away, "day")}** from today.`
        : `That was **${count(away, "day")}** ago.`;
  return `**${day.written} ${day.daysFromToday < 0 ? "was" : "is"} a ${day.weekday}.** ${distance}

## The month

\`\`\`text
${day.month}
\`\`\`

## More about the day

| what | value |
| :--- | :--- |
| ISO date | ${day.date} |
| weekday | ${day.weekday} |
| week of the year | ${day.isoWeek} |
| day of the year | ${day.dayOfYear} |
| leap year | ${day.isLeapYear ? "yes" : "no"} |
| distance in weeks | ${count(Math.floor(away / 7), "week")} and ${count(away % 7, "day")} |

## How it is reckoned

- Weeks begin on **Monday**, and week 1 is the one with the year's first Thursday, as ISO 8601 has it.
- Days are counted in UTC, so nobody loses an hour, or a day, to the clocks going forward.
- ${leapNote(day)}

\`\`\`js
const day = new Date("${day.date}");
day.toLocaleDateString("en", { weekday: "long" }); // "${day.weekday}"
\`\`\`

A calendar has something of a log: one entry a day, numbered without gaps, and a place where you left off. If you lost the connection on the way here, you have just seen the other kind resume.`;
}

function leapNote(day: CalendarDay): string {
  const year = day.date.slice(0, 4);
  return day.isLeapYear
    ? `${year} is a leap year, so its February has 29 days.`
    : `${year} is no leap year, so its February has 28 days.`;
}

function countAnswer(text: string, counts: TextCounts, letter: string | undefined): string {
  const asked = counts.frequency.find((each) => each.letter === letter);
  const headline =
    letter === undefined
      ? `**${count(counts.words, "word")}, ${count(counts.letters, "letter")}, ${count(counts.characters, "character")}.**`
      : `**“${letter}” is there ${times(asked?.count ?? 0)}.**`;
  const word = counts.longestWord;
  const marked = [...word]
    .map((character) => (character.toLowerCase() === letter ? character.toUpperCase() : character))
    .join(" ");
  return `${headline}

## Counted, not guessed

| what | how many |
| :--- | ---: |
| characters | ${counts.characters} |
| letters | ${counts.letters} |
| vowels | ${counts.vowels} |
| words | ${counts.words} |
| different letters | ${counts.frequency.length} |

The longest word is **${word}**, with ${count([...word].length, "character")}. Spelled out, so that you can check with a finger on the screen:

\`\`\`text
${marked}
${[...word].map((_, index) => String((index + 1) % 10)).join(" ")}
\`\`\`

## The most frequent letters

${counts.frequency
  .slice(0, 5)
  .map((each) => `- \`${each.letter}\` ${"█".repeat(Math.min(each.count, 24))} ${each.count}`)
  .join("\n")}

## Why this is a tool's work

1. A language model reads **tokens**, pieces of words; the letters inside them are hearsay to it.
2. A program sees characters, and even there an emoji can be several code points, so I count *graphemes*: what a reader calls one character.
3. \`"${text.length > 24 ? `${text.slice(0, 23)}…` : text}".length\` would say ${text.length}; the answer above says ${counts.characters}.

This answer came to you in pieces that fell wherever they fell, in the middle of words too. None of them was ever cut inside a character, and that is counted as well: each has a number.`;
}

/** What is or stands after a colon or "in". */
function textToCount(question: string): string | null {
  const quotation = /["“«]([^"”»]{2,2000})["”»]/.exec(question)?.[1];
  if (quotation !== undefined) return quotation.trim();
  const colon = /:\s*([\s\S]{2,2000})$/.exec(question)?.[1];
  if (colon !== undefined) return colon.trim();
  const last = /\b(?:in|of|is)\s+(?:the\s+(?:word|sentence|text)\s+)?([\p{L}'’ -]{2,200}?)[?.!\s]*$/iu.exec(
    question,
  )?.[1];
  return last?.trim() ?? null;
}

function count(value: number, unit: string): string {
  return `${value.toLocaleString("en-US")} ${unit}${value === 1 ? "" : "s"}`;
}

function times(value: number): string {
  if (value === 0) return "not at all";
  return value === 1 ? "once" : value === 2 ? "twice" : `${value} times`;
}
