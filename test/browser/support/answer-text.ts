/** An answer in three pieces, cut where it hurts: in a word, in a table. */
export const OPENING = `# Lines

A line may be **broken** in the middle of a word and joi`;
export const MIDDLE = `ned again:

| moment | place |
| --- | --- |
| cut | betw`;
export const REST = `een words |
| joined | the same |

1. Nothing is lost: \`heliotrope\`.
2. Nothing is there twice: marigold.

That was all.`;
/** What the page shows of the end of each piece, and of no other one. */
export const SHOWN = { opening: "word and joi", middle: "betw", rest: "That was all." };
