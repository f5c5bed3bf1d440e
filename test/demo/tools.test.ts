import { describe, expect, it } from "vitest";
import { createCalendar } from "../../demo/server/tools/calendar.ts";
import { convertUnits } from "../../demo/server/tools/convert-units.ts";
import { countText } from "../../demo/server/tools/count-text.ts";
import { evaluateExpression } from "../../demo/server/tools/expression.ts";
import { createDice } from "../../demo/server/tools/roll-dice.ts";

describe("arithmetic", () => {
  it.each([
    ["2 + 3 * 4", 14],
    ["(2 + 3) * 4", 20],
    ["2 ^ 3 ^ 2", 512],
    ["-2 ^ 2", -4],
    ["10 - 4 - 3", 3],
    ["100 / 10 / 2", 5],
    ["17 mod 5", 2],
    ["15% of 80", 12],
    ["1,234.5 + 0.5", 1235],
    ["sqrt(16) × 2", 8],
    ["2 ** 10", 1024],
    [".5 ÷ 2", 0.25],
  ])("%s is %d", (expression, value) => {
    expect(evaluateExpression(expression).value).toBe(value);
  });

  it("shows its steps in their order", () => {
    expect(evaluateExpression("17 * (23 + 4) ^ 2").steps).toEqual([
      "23 + 4 = 27",
      "27 ^ 2 = 729",
      "17 × 729 = 12,393",
    ]);
  });

  it.each(["", "2 +", "(2", "2)", "two", "1 / 0", "sqrt(0 - 1)", "9 ^ 9999", "2 2"])(
    "declines %j",
    (expression) => {
      expect(() => evaluateExpression(expression)).toThrow(expect.objectContaining({ name: "ToolError" }));
    },
  );
});

describe("the calendar", () => {
  const calendar = createCalendar(() => new Date("2026-11-23T23:30:00Z"));

  it.each([
    ["2026-12-24", "Thursday", 31],
    ["24 December 2026", "Thursday", 31],
    ["December 24th, 2026", "Thursday", 31],
    ["today", "Monday", 0],
    ["yesterday", "Sunday", -1],
    ["20 July 1969", "Sunday", -20_945],
    ["29 February", "Tuesday", 463],
    ["Christmas", "Friday", 32],
  ])("knows %s", (date, weekday, daysFromToday) => {
    expect(calendar.run({ date })).toMatchObject({ weekday, daysFromToday });
  });

  it("counts weeks as ISO 8601 does", () => {
    expect(calendar.run({ date: "2027-01-01" })).toMatchObject({ isoWeek: 53, dayOfYear: 1 });
    expect(calendar.run({ date: "2026-12-31" })).toMatchObject({ isoWeek: 53, dayOfYear: 365 });
  });

  it("draws the month with the day in it", () => {
    expect(calendar.run({ date: "2026-02-03" }).month).toBe(
      [
        " February 2026",
        " Mo  Tu  We  Th  Fr  Sa  Su",
        "                          1",
        "  2 [ 3]  4   5   6   7   8",
        "  9  10  11  12  13  14  15",
        " 16  17  18  19  20  21  22",
        " 23  24  25  26  27  28",
      ].join("\n"),
    );
  });

  it("declines a day that there is not", () => {
    expect(() => calendar.run({ date: "2026-02-30" })).toThrow("No date that the calendar has");
  });
});

describe("units", () => {
  it.each([
    [1, "mile", "km", 1.609344],
    [100, "°C", "°F", 212],
    [0, "kelvin", "C", -273.15],
    [1, "GiB", "MB", 1073.741824],
    [90, "minutes", "h", 1.5],
    [3, "feet", "in", 36],
  ])("%d %s in %s", (value, from, to, result) => {
    expect(convertUnits.run({ value, from, to }).result).toBeCloseTo(result, 9);
  });

  it("declines units that measure different things, and units it does not know", () => {
    expect(() => convertUnits.run({ value: 1, from: "kg", to: "km" })).toThrow("kg is a mass, km a length");
    expect(() => convertUnits.run({ value: 1, from: "parsnip", to: "km" })).toThrow("Unknown unit: parsnip");
  });
});

describe("counting", () => {
  it("counts characters as people see them", () => {
    expect(countText.run({ text: "👩‍🚀 Grüße" })).toMatchObject({ characters: 7, letters: 5, words: 1 });
  });

  it("puts the most frequent letter first", () => {
    expect(countText.run({ text: "strawberry" }).frequency[0]).toEqual({ letter: "r", count: 3 });
  });
});

describe("dice", () => {
  it("show one to their number of sides", () => {
    expect(createDice(() => 0).run({ count: 2, sides: 6 })).toEqual({ rolls: [1, 1], total: 2 });
    expect(createDice(() => 0.999).run({ count: 1, sides: 6 })).toEqual({ rolls: [6], total: 6 });
  });

  it("declines a throw that nobody can hold", () => {
    expect(() => createDice(() => 0).run({ count: 1e9, sides: 6 })).toThrow("Roll 1 to 20 dice");
  });
});
