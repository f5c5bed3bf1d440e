/**
 * Reads a JSON object (RFC 8259) as it is written: text comes in pieces cut anywhere, and the value so far can be looked
 * at after each. Reading is linear in the text; looking costs the objects and arrays that are still open, no more.
 *
 * What shows of an unfinished value: a string as far as it came, never half a character; a number or a literal only when
 * it is whole, since `12` may become `120`. The value depends on the text alone, never on how it was cut.
 *
 * Text that is not JSON ends the reading: the value stays what it was. Keys are own properties, `__proto__` too.
 */
import type { JsonObject, JsonValue } from "./json-value.ts";

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
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const NUMBER_CHARACTERS = "+-.0123456789eE";
const LITERALS: Readonly<Record<string, JsonValue>> = { true: true, false: false, null: null };
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

type Expectation = "value" | "value-or-end" | "key" | "key-or-end" | "colon" | "comma-or-end" | "nothing";

/** An object or array that is still open. What is open inside it is not yet in it. */
type Frame =
  | { readonly kind: "object"; readonly items: Record<string, JsonValue>; key: string }
  | { readonly kind: "array"; readonly items: JsonValue[] };

/** A string, number or literal that is still being read. */
interface Token {
  readonly kind: "string" | "key" | "word";
  text: string;
  /** The characters of an escape after its backslash; `undefined` outside one. */
  escape: string | undefined;
}

/** Makes a reader. */
export function createIncrementalJson(): IncrementalJson {
  const frames: Frame[] = [];
  let expectation: Expectation = "value";
  let token: Token | undefined;
  let root: JsonObject | undefined;
  let view: JsonObject | undefined = EMPTY;

  return { feed, value };

  function feed(text: string): void {
    let index = 0;
    while (index < text.length && expectation !== "nothing") {
      view = undefined;
      if (token === undefined) index = readStructure(text, index);
      else if (token.kind === "word") index = readWord(token, text, index);
      else index = readString(token, text, index);
    }
  }

  function readStructure(text: string, index: number): number {
    const char = text.charAt(index);
    if (WHITE_SPACE.includes(char)) return index + 1;
    const frame = frames.at(-1);
    if (char === "}" || char === "]") {
      const closes = char === "}" ? frame?.kind === "object" : frame?.kind === "array";
      const mayEnd =
        expectation === "comma-or-end" || expectation === (char === "}" ? "key-or-end" : "value-or-end");
      if (!closes || !mayEnd) return damage();
      close();
    } else if (char === "," && expectation === "comma-or-end") {
      expectation = frame?.kind === "object" ? "key" : "value";
    } else if (char === ":" && expectation === "colon") {
      expectation = "value";
    } else if (expectation === "key" || expectation === "key-or-end") {
      if (char !== '"') return damage();
      token = { kind: "key", text: "", escape: undefined };
    } else if (expectation === "value" || expectation === "value-or-end") {
      return beginValue(char, index);
    } else {
      return damage();
    }
    return index + 1;
  }

  function beginValue(char: string, index: number): number {
    if (char === "{" || (char === "[" && frames.length > 0)) {
      if (frames.length >= MAX_DEPTH) return damage();
      frames.push(char === "{" ? { kind: "object", items: {}, key: "" } : { kind: "array", items: [] });
      expectation = char === "{" ? "key-or-end" : "value-or-end";
      return index + 1;
    }
    // The root is an object, or it is nothing that we know.
    if (frames.length === 0) return damage();
    if (char === '"') {
      token = { kind: "string", text: "", escape: undefined };
      return index + 1;
    }
    token = { kind: "word", text: "", escape: undefined };
    return index;
  }

  function readString(string: Token, text: string, from: number): number {
    if (string.escape !== undefined) return readEscape(string, text, from);
    let index = from;
    while (index < text.length) {
      const code = text.charCodeAt(index);
      if (code === 0x22 || code === 0x5c) break;
      index += 1;
    }
    string.text += text.slice(from, index);
    if (index === text.length) return index;
    if (text.charAt(index) === "\\") string.escape = "";
    else endString(string);
    return index + 1;
  }

  function readEscape(string: Token, text: string, index: number): number {
    const escape = `${string.escape ?? ""}${text.charAt(index)}`;
    string.escape = escape;
    if (escape.charAt(0) !== "u") {
      const char = ESCAPES[escape];
      if (char === undefined) return damage();
      string.text += char;
      string.escape = undefined;
    } else if (escape.length > 1 && !/[0-9a-fA-F]$/.test(escape)) {
      return damage();
    } else if (escape.length === 5) {
      string.text += String.fromCharCode(Number.parseInt(escape.slice(1), 16));
      string.escape = undefined;
    }
    return index + 1;
  }

  function endString(string: Token): void {
    token = undefined;
    const frame = frames.at(-1);
    if (string.kind === "string") add(string.text);
    else if (frame?.kind === "object") {
      frame.key = string.text;
      expectation = "colon";
    }
  }

  function readWord(word: Token, text: string, from: number): number {
    let index = from;
    while (index < text.length && isWordCharacter(text.charAt(index))) index += 1;
    word.text += text.slice(from, index);
    // The longest number that means anything is far shorter.
    if (word.text.length > 1_024) return damage();
    if (index === text.length) return index;
    token = undefined;
    if (NUMBER.test(word.text)) add(Number(word.text));
    else if (Object.hasOwn(LITERALS, word.text)) add(LITERALS[word.text] ?? null);
    else return damage();
    return index;
  }

  function add(item: JsonValue): void {
    const frame = frames.at(-1);
    if (frame !== undefined) put(frame, frame.items, item);
    expectation = "comma-or-end";
  }

  function close(): void {
    const frame = frames.pop();
    if (frame === undefined) return;
    if (frames.length > 0) return add(frame.items);
    if (frame.kind === "object") root = frame.items;
    expectation = "nothing";
  }

  /** Not JSON: nothing more is read, and what was read stays. */
  function damage(): number {
    root = open();
    expectation = "nothing";
    token = undefined;
    frames.length = 0;
    return Infinity;
  }

  function value(): JsonObject {
    view ??= root ?? open();
    return view;
  }

  /** The value with what is still open put in, as copies: the open ones go on changing. */
  function open(): JsonObject {
    let item: JsonValue | undefined = token?.kind === "string" ? withoutHalfCharacter(token.text) : undefined;
    for (const frame of frames.toReversed()) {
      const copy: Record<string, JsonValue> | JsonValue[] =
        frame.kind === "object" ? { ...frame.items } : [...frame.items];
      if (item !== undefined) put(frame, copy, item);
      item = copy;
    }
    return isObject(item) ? item : EMPTY;
  }
}

function put(frame: Frame, items: Record<string, JsonValue> | JsonValue[], item: JsonValue): void {
  if (Array.isArray(items)) items.push(item);
  else if (frame.kind === "object") {
    // Assignment to `__proto__` would set the prototype.
    Object.defineProperty(items, frame.key, {
      value: item,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

function isWordCharacter(char: string): boolean {
  return NUMBER_CHARACTERS.includes(char) || (char >= "a" && char <= "z");
}

function withoutHalfCharacter(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
