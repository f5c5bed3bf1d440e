import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIncrementalJson } from "../../../src/shared/json/incremental-json.ts";

function read(...pieces: readonly string[]): unknown {
  const json = createIncrementalJson();
  for (const piece of pieces) json.feed(piece);
  return json.value();
}

const objects = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue());

describe("incremental JSON", () => {
  it("reads what JSON.parse reads, cut anywhere, in any layout", () => {
    fc.assert(
      fc.property(objects, fc.array(fc.nat(200), { maxLength: 8 }), fc.nat(3), (object, cuts, indent) => {
        const text = JSON.stringify(object, null, indent);
        const at = [
          0,
          ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b),
          text.length,
        ];
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
        expect(JSON.stringify(read(...pieces))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it("shows the same after each character, however the text before it was cut", () => {
    fc.assert(
      fc.property(objects, fc.nat(), (object, seed) => {
        const text = JSON.stringify(object);
        const end = seed % (text.length + 1);
        const byCharacter = createIncrementalJson();
        for (const unit of text.slice(0, end).split("")) {
          byCharacter.feed(unit);
          byCharacter.value();
        }
        expect(byCharacter.value()).toEqual(read(text.slice(0, end)));
      }),
    );
  });

  it.each([
    ["", {}],
    ["{", {}],
    ['{"a', {}],
    ['{"a"', {}],
    ['{"a":', {}],
    ['{"a":"', { a: "" }],
    ['{"a":"x', { a: "x" }],
    ['{"a":"x\\', { a: "x" }],
    ['{"a":"x\\u00', { a: "x" }],
    ['{"a":"x\\ud83d', { a: "x" }],
    ['{"a":"x\\ud83d\\ude00', { a: "x😀" }],
    ['{"a":12', {}],
    ['{"a":12,', { a: 12 }],
    ['{"a":tru', {}],
    ['{"a":true}', { a: true }],
    ['{"a":[1,{"b":"c', { a: [1, { b: "c" }] }],
    ['{"a":{"b":1},"a":2}', { a: 2 }],
  ])("shows of %s what is certain", (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each([
    '{"a":1,}',
    '{"a":1]',
    '{"a":01}',
    '{"a":"\\x"}',
    '{"a":nil}',
    '{"a":1 2}',
    '{"a" 1}',
    '{"a":1}}',
  ])("keeps what was read before %s stopped being JSON, and never throws", (text) => {
    const before = read(text);
    expect(read(text, '"more":true}')).toEqual(before);
  });

  it.each(["[1,2]", '"text"', "null", "12"])("takes %s, which is no object, for nothing", (text) => {
    expect(read(text)).toEqual({});
  });

  it("keeps `__proto__` a key like any other", () => {
    const value = createIncrementalJson();
    value.feed('{"__proto__":{"admin":true},"a":{"__proto__":');
    value.feed("1}}");
    expect(JSON.stringify(value.value())).toBe('{"__proto__":{"admin":true},"a":{"__proto__":1}}');
    expect(Object.getPrototypeOf(value.value())).toBe(Object.prototype);
  });

  it("does not read what is nested without end", () => {
    const value = read(`{"ok":1,"a":${"[".repeat(5_000)}`);
    expect(value).toMatchObject({ ok: 1 });
    expect(() => JSON.stringify(value)).not.toThrow();
  });

  it("gives the same reference until something changes, and keeps what is whole", () => {
    const json = createIncrementalJson();
    json.feed('{"whole":{"a":[1,2]},"open":"x');
    const first = json.value();
    expect(json.value()).toBe(first);
    json.feed("y");
    const second = json.value();
    expect(first).toEqual({ whole: { a: [1, 2] }, open: "x" });
    expect(second).toEqual({ whole: { a: [1, 2] }, open: "xy" });
    expect(second["whole"]).toBe(first["whole"]);
  });
});
