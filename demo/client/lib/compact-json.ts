/** JSON for people: what fits on a line is on one. */
import type { JsonValue } from "rejoin/protocols/assistant-stream";

/** Columns that a line may have. */
const WIDTH = 64;

/** Writes a value, indented only where it is long. */
export function compactJson(value: JsonValue, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const line = oneLine(value);
  if (indent.length + line.length <= WIDTH) return line;
  const inner = `${indent}  `;
  const entries = isArray(value)
    ? value.map((item) => inner + compactJson(item, inner))
    : fieldsOf(value).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${compactJson(item, inner)}`);
  const [open, close] = isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${open}\n${entries.join(",\n")}\n${indent}${close}`;
}

function oneLine(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  const fields = fieldsOf(value).map(([name, item]) => `${JSON.stringify(name)}: ${oneLine(item)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function fieldsOf(
  value: Exclude<JsonValue, readonly JsonValue[] | string | number | boolean | null>,
): [string, JsonValue][] {
  return Object.entries(value).flatMap(([name, item]): [string, JsonValue][] =>
    item === undefined ? [] : [[name, item]],
  );
}

/** `Array.isArray` does not see readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
