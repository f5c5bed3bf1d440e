/** Units, and what one is in another. */
import { numberArg, objectSchema, textArg, ToolError, type Tool } from "./tool.ts";

type Quantity = "length" | "mass" | "volume" | "speed" | "time" | "data" | "area" | "temperature";

interface Unit {
  readonly symbol: string;
  readonly quantity: Quantity;
  /** In the quantity's base unit: `value * factor + offset`. */
  readonly factor: number;
  readonly offset: number;
}

/** Symbol, factor, then the other names that people use. */
const UNITS: readonly (readonly [Quantity, ...(readonly [string, number, ...string[]])[]])[] = [
  [
    "length",
    ["mm", 0.001, "millimetre", "millimeter"],
    ["cm", 0.01, "centimetre", "centimeter"],
    ["m", 1, "metre", "meter"],
    ["km", 1000, "kilometre", "kilometer"],
    ["in", 0.0254, "inch", "inches"],
    ["ft", 0.3048, "foot", "feet"],
    ["yd", 0.9144, "yard"],
    ["mi", 1609.344, "mile"],
    ["nmi", 1852, "nautical mile"],
  ],
  [
    "mass",
    ["g", 0.001, "gram"],
    ["kg", 1, "kilogram", "kilo"],
    ["t", 1000, "tonne"],
    ["oz", 0.028349523125, "ounce"],
    ["lb", 0.45359237, "lbs", "pound"],
    ["st", 6.35029318, "stone"],
  ],
  [
    "volume",
    ["ml", 0.001, "millilitre", "milliliter"],
    ["l", 1, "litre", "liter"],
    ["cup", 0.2365882365, "cups"],
    ["pt", 0.473176473, "pint"],
    ["gal", 3.785411784, "gallon"],
  ],
  [
    "speed",
    ["m/s", 1, "metres per second", "meters per second"],
    ["km/h", 1 / 3.6, "kmh", "kph", "kilometres per hour", "kilometers per hour"],
    ["mph", 0.44704, "miles per hour"],
    ["kn", 1852 / 3600, "knot"],
  ],
  [
    "time",
    ["s", 1, "sec", "second"],
    ["min", 60, "minute"],
    ["h", 3600, "hour"],
    ["d", 86_400, "day"],
    ["wk", 604_800, "week"],
    ["yr", 31_556_952, "year"],
  ],
  [
    "data",
    ["B", 1, "byte"],
    ["kB", 1e3, "kilobyte"],
    ["MB", 1e6, "megabyte"],
    ["GB", 1e9, "gigabyte"],
    ["TB", 1e12, "terabyte"],
    ["KiB", 1024, "kibibyte"],
    ["MiB", 1024 ** 2, "mebibyte"],
    ["GiB", 1024 ** 3, "gibibyte"],
  ],
  [
    "area",
    ["m²", 1, "m2", "square metre", "square meter"],
    ["ha", 10_000, "hectare"],
    ["ac", 4046.8564224, "acre"],
    ["ft²", 0.09290304, "ft2", "sqft", "square foot", "square feet"],
  ],
];

const TEMPERATURES: readonly (readonly [Unit, ...string[]])[] = [
  [{ symbol: "°C", quantity: "temperature", factor: 1, offset: 273.15 }, "c", "celsius"],
  [{ symbol: "°F", quantity: "temperature", factor: 5 / 9, offset: 273.15 - 160 / 9 }, "f", "fahrenheit"],
  [{ symbol: "K", quantity: "temperature", factor: 1, offset: 0 }, "k", "kelvin"],
];

const BY_NAME = new Map<string, Unit>();
for (const [unit, ...names] of TEMPERATURES) {
  for (const name of [unit.symbol, ...names]) BY_NAME.set(name.toLowerCase(), unit);
}
for (const [quantity, ...units] of UNITS) {
  for (const [symbol, factor, ...names] of units) {
    const unit: Unit = { symbol, quantity, factor, offset: 0 };
    for (const name of [symbol, ...names]) {
      BY_NAME.set(name.toLowerCase(), unit);
      if (name.length > 2) BY_NAME.set(`${name.toLowerCase()}s`, unit);
    }
  }
}

/** Result of {@link convertUnits}. */
export type Conversion = {
  readonly value: number;
  readonly from: string;
  readonly result: number;
  readonly to: string;
  readonly quantity: string;
};

/** The unit that a name means; `null` for none. */
export function findUnit(name: string): { readonly symbol: string; readonly quantity: string } | null {
  return unitOf(name);
}

/** Converts between units of one quantity. */
export const convertUnits: Tool<
  { readonly value: number; readonly from: string; readonly to: string },
  Conversion
> = {
  name: "convert_units",
  description:
    "Converts a value between units of length, mass, volume, speed, time, data, area, temperature.",
  parameters: objectSchema({
    value: { type: "number" },
    from: { type: "string", description: "Unit, such as km or mile" },
    to: { type: "string", description: "Unit, such as km or mile" },
  }),
  readArgs: (args) => ({
    value: numberArg(args, "value"),
    from: textArg(args, "from"),
    to: textArg(args, "to"),
  }),
  run({ value, from, to }) {
    const source = unitOf(from);
    const target = unitOf(to);
    if (source === null || target === null) {
      throw new ToolError(`Unknown unit: ${source === null ? from : to}`);
    }
    if (source.quantity !== target.quantity) {
      throw new ToolError(`${source.symbol} is a ${source.quantity}, ${target.symbol} a ${target.quantity}.`);
    }
    const result = (value * source.factor + source.offset - target.offset) / target.factor;
    return {
      value,
      from: source.symbol,
      // Sums of binary fractions leave a tail that no unit has.
      result: Number(result.toPrecision(12)),
      to: target.symbol,
      quantity: source.quantity,
    };
  },
};

function unitOf(name: string): Unit | null {
  return BY_NAME.get(name.trim().replace(/^°\s*/, "°").replace(/\.$/, "").toLowerCase()) ?? null;
}
