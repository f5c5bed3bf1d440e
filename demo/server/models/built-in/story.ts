/** A story in three dice. */

/** Six of each: a description, and a short name. */
type Choices = readonly [readonly [string, string], ...(readonly [string, string])[]];

/** Where it happens: with its preposition, and without. */
const PLACES: Choices = [
  ["in a harbour town where the fog came every evening at six", "the harbour"],
  ["at the last station of a mountain railway", "the station"],
  ["in a library that had lost its catalogue", "the library"],
  ["on an island with more bells than people", "the island"],
  ["in a city whose bridges were drawn up at night", "the city"],
  ["in an observatory above the clouds", "the observatory"],
];

const MISHAPS: Choices = [
  ["a storm tore the line in the middle of a word", "storm"],
  ["somebody closed the door, and with it the only lamp went out", "dark"],
  ["the train drove into a tunnel and the voice was gone", "tunnel"],
  ["the paper ran out just where it mattered", "gap"],
  ["a goat ate the second page", "goat"],
  ["everybody fell asleep, the clock first", "silence"],
];

const HELPERS: Choices = [
  ["an old clerk who numbered everything", "the clerk"],
  ["a child who could not leave a sentence unfinished", "the child"],
  ["a cat that always returned to the same spot", "the cat"],
  ["a bookbinder with a drawer full of ribbons", "the bookbinder"],
  ["a knitter who never dropped a stitch without a note of where", "the knitter"],
  ["a lamplighter who counted his steps", "the lamplighter"],
];

/** A story about somebody, with its place, mishap and helper by three dice of six. */
export function storyOf(hero: string, rolls: readonly number[]): string {
  const [placeRoll = 1, mishapRoll = 1, helperRoll = 1] = rolls;
  const [place, placeName] = pick(PLACES, placeRoll);
  const [mishap, mishapName] = pick(MISHAPS, mishapRoll);
  const [helper, helperName] = pick(HELPERS, helperRoll);
  return `# The ${hero} and the broken line

The dice say ${placeRoll}, ${mishapRoll} and ${helperRoll}; so be it.

Once there was ${article(hero)} ${hero} ${place}. Every evening it had one long message to deliver, and every evening people came and listened, and by the end of it they knew what to do the next day. It was not a beautiful message, but it was **whole**, and that was what they came for.

Then, on a Tuesday, ${mishap}.

“Begin again!” cried those who had just arrived. “We have heard that part!” cried those who had been there all along. The ${hero} began again, and the ones left; it went on from where it thought it had been, and the others had lost the thread. Nobody knew what to do on Wednesday.

## What ${helperName} did

Now there was, at ${placeName}, ${helper}. ${capitalised(helperName)} said three things:

1. **Write down every sentence before you say it.** Then it cannot be lost when you are.
2. **Give each a number.** Then nobody needs to ask how much they missed; they can say it.
3. **Let everyone keep a ribbon** at the last number they heard, together with the page itself.

| who came | what the ribbon said | what they were told |
| :--- | :--- | :--- |
| the baker, late | nothing | everything, quickly |
| the smith, after the ${mishapName} | 231 | 232 and on |
| the teacher, who never left | 470 | 471, when it came |

On the next evening it happened again, as such things do. There was a breath of quiet. Then someone in the back said, quite calmly:

\`\`\`text
I am at two hundred and thirty-one. Go on.
\`\`\`

And the ${hero} went on, in the middle of the word.

*The end.* It is a real one, by the way: the stream says so with an event of its own. Had I merely fallen silent here, you would have been told that something was cut, and I would have been asked for the rest.`;
}

function pick(list: Choices, roll: number): readonly [string, string] {
  return list[(roll - 1) % list.length] ?? list[0];
}

function article(noun: string): string {
  return /^[aeiou]/i.test(noun) ? "an" : "a";
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
