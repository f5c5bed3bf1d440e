/**
 * Reads a JSON object (RFC 8259) as it is written: text comes in pieces cut anywhere, and the value so far can be looked
 * at after each. Reading is linear in the text; looking costs the objects and arrays that are still open, no more.
 *
 * What shows of an unfinished value: a string as far as it came, never half a character; a number or a literal only when
 * it is whole, since `12` may become `120`. The value depends on the text alone, never on how it was cut.
 *
 * Text that is not JSON ends the reading: the value stays what it was. Keys are own properties, `__proto__` too.
 */
import { isObject, parseJson, type JsonObject, type JsonValue } from "./json-value.ts";

/** A reader of one JSON object. */
export interface IncrementalJson {
  /** Takes the next piece of the text. Never throws. */
  feed(text: string): void;
  /** The object so far. Immutable; the same reference until it changes; what has not changed in it keeps identity. */
  value(): JsonObject;
}

/** What is nested deeper is not read: it would overflow the stack of whoever walks the value. */
const MAX_DEPTH = 256;

const EMPTY: JsonObject = {};
const WHITE_SPACE = " \t\n\r";
const QUOTE_OR_BACKSLASH = /["\\]/g;
const WORD = /[\w.+-]*/y;
const HALF_CHARACTER = /[\ud800-\udbff]$/;
/** The longest number that means anything is far shorter. */
const MAX_WORD = 1_024;

/** What a value begins with; anything else is taken for a word, which is a number or a literal. */
const A_VALUE = '{["';
const A_KEY = '"';

/** An object or array that is still open. What is open inside it is not yet in it. */
interface Frame {
  readonly isList: boolean;
  readonly entries: [key: string, value: JsonValue][];
  /** Where the next value goes; `""` in a list. */
  key: string;
}

/** Makes a reader. */
export function createIncrementalJson(): IncrementalJson {
  // The text itself is taken for an object, in which it is the value of "".
  const outermost: Frame = { isList: false, entries: [], key: "" };
  let frame = outermost;
  /** The frames around it. */
  const parents: Frame[] = [];
  /** What may come next; `""` when nothing may, or matters any more. */
  let expected = "{";
  /** What was read of a string that is still open, and whether it is a key. */
  let string: string | undefined;
  let isKey = false;
  let view: JsonObject | undefined = EMPTY;
  /** What is being read, and how far: an escape or a word that is not whole waits for the rest of it. */
  let text = "";
  let at = 0;

  return {
    feed(piece) {
      if (expected === "") return;
      text = text.slice(at) + piece;
      at = 0;
      view = undefined;
      while (at < text.length && expected !== "") {
        const before = at;
        if (string === undefined) readStructure(text.charAt(at));
        else readString(string);
        if (at === before) return;
      }
    },
    value: () => (view ??= look()),
  };

  function readStructure(char: string): void {
    if (!expected.includes(char) && !WHITE_SPACE.includes(char)) return readWord();
    at += 1;
    if (char === '"') {
      string = "";
      isKey = expected.startsWith(A_KEY);
    } else if (char === "{" || char === "[") open(char === "[");
    else if (char === "}" || char === "]") close();
    else if (char === "," && !frame.isList) expected = A_KEY;
    else if (char === "," || char === ":") expected = A_VALUE;
  }

  function open(isList: boolean): void {
    if (parents.length === MAX_DEPTH) return damage();
    parents.push(frame);
    frame = { isList, entries: [], key: "" };
    expected = isList ? `${A_VALUE}]` : `${A_KEY}}`;
  }

  function close(): void {
    const whole = valueOf(frame);
    frame = parents.pop() ?? outermost;
    add(whole);
  }

  function add(item: JsonValue | undefined): void {
    if (item === undefined) return damage();
    frame.entries.push([frame.key, item]);
    expected = frame === outermost ? "" : frame.isList ? ",]" : ",}";
  }

  function readWord(): void {
    WORD.lastIndex = at;
    WORD.test(text);
    const end = WORD.lastIndex;
    if (!expected.startsWith(A_VALUE) || end - at > MAX_WORD) damage();
    else if (end < text.length) {
      add(parseJson(text.slice(at, end)));
      at = end;
    }
  }

  function readString(before: string): void {
    QUOTE_OR_BACKSLASH.lastIndex = at;
    const end = QUOTE_OR_BACKSLASH.exec(text)?.index ?? text.length;
    string = before + text.slice(at, end);
    at = end;
    if (text.charAt(at) === "\\") return readEscape(string);
    if (at === text.length) return;
    at += 1;
    if (isKey) {
      frame.key = string;
      expected = ":";
    } else add(string);
    string = undefined;
  }

  function readEscape(before: string): void {
    const end = at + (text.charAt(at + 1) === "u" ? 6 : 2);
    if (end > text.length) return;
    const read = parseJson(`"${text.slice(at, end)}"`);
    if (read === undefined) return damage();
    string = `${before}${read}`;
    at = end;
  }

  /** Not JSON: nothing more is read, and what was read stays. */
  function damage(): void {
    expected = "";
  }

  /** The value with what is still open put in: nothing of it changes any more. */
  function look(): JsonObject {
    let item: JsonValue | undefined = isKey ? undefined : string?.replace(HALF_CHARACTER, "");
    for (const open of [frame, ...parents.toReversed()]) item = valueOf(open, item);
    const root = isObject(item) ? item[""] : undefined;
    return isObject(root) ? root : EMPTY;
  }
}

/** What a frame holds, with what is open inside it. Keys become own properties, which assignment to `__proto__` does not. */
function valueOf({ isList, entries, key }: Frame, open?: JsonValue): JsonValue {
  const all = open === undefined ? entries : [...entries, [key, open] as const];
  return isList ? all.map(([, value]) => value) : Object.fromEntries(all);
}
