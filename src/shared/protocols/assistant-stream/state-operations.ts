/** Changes of a message's state: a path into JSON, and a new value or more text there. What is not on the path is shared. */
import type { JsonObject, JsonValue } from "../../json/json-value.ts";
import type { StateOperation } from "./chunks.ts";

/** Paths are as deep as somebody wrote them by hand. */
const MAX_PATH = 64;

/** Applies an operation. Throws `RangeError`, and changes nothing, where the path or the operation makes no sense. */
export function applyStateOperation(state: JsonValue, operation: StateOperation): JsonValue {
  const { path } = operation;
  if (!Array.isArray(path) || path.length > MAX_PATH)
    throw new RangeError("The path of a state operation is not one.");
  switch (operation.type) {
    case "set":
      return update(state, path, () => operation.value ?? null);
    case "append-text":
      return update(state, path, (text) => {
        if (typeof text === "string" && typeof operation.value === "string") return text + operation.value;
        throw new RangeError(`There is no text to append to at [${path.join(", ")}].`);
      });
    default:
      throw new RangeError("The type of a state operation is unknown.");
  }
}

function update(
  value: JsonValue | undefined,
  path: readonly string[],
  change: (value: JsonValue | undefined) => JsonValue,
): JsonValue {
  const [first, ...rest] = path;
  if (first === undefined) return change(value);
  const key = String(first);
  if (isArray(value)) {
    const index = Number(key);
    if (!/^(0|[1-9]\d*)$/.test(key) || index > value.length)
      throw new RangeError(`No index of an array: ${key}.`);
    const next = [...value];
    next[index] = update(value[index], rest, change);
    return next;
  }
  if (value !== undefined && value !== null && !isObject(value)) throw new RangeError(`No object at ${key}.`);
  if (key === "__proto__" || key === "constructor" || key === "prototype")
    throw new RangeError(`No key of data: ${key}.`);
  const object = value ?? {};
  return { ...object, [key]: update(Object.hasOwn(object, key) ? object[key] : undefined, rest, change) };
}

function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
