/**
 * Cuts Markdown into blocks that render by themselves, so that while an answer streams only its last block is parsed
 * again. Joined with nothing between them, the blocks are the text.
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST_ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const INDENTED = /^(?: {2,}|\t)\S/;

/** The blocks of a text. */
export function markdownBlocks(text: string): string[] {
  const blocks: string[] = [];
  let block = "";
  let fence = "";
  let inList = false;
  let afterBlank = false;

  for (const line of linesOf(text)) {
    if (fence === "" && afterBlank && line.trim() !== "") {
      // A loose list has blank lines between its items, and its items' text is indented.
      const goesOn = inList && (LIST_ITEM.test(line) || INDENTED.test(line));
      if (!goesOn) {
        blocks.push(block);
        block = "";
        inList = false;
      }
    }
    if (block === "" && LIST_ITEM.test(line)) inList = true;
    const mark = FENCE.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === "") fence = mark;
      else if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    }
    block += line;
    afterBlank = line.trim() === "";
  }
  if (block !== "") blocks.push(block);
  return blocks;
}

/** Lines, each with its ending. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
