/** Changes of a message's state: a path into JSON, and a new value or more text there. What is not on the path is shared. */
import type { JsonObject, JsonValue } from "../../json/json-value.ts";
import type { StateOperation } from "./chunks.ts";

/** Paths are as deep as somebody wrote them by hand. */
const MAX_PATH = 64;

/**
 * Applies an operation. Throws `RangeError`, and changes nothing, where the path or the operation makes no sense.
 *
 * @param unseen objects that this function made and that nobody has looked at: they are changed in place, so that many
 *   operations on a large state cost what they change.
 */
export function applyStateOperation(
  state: JsonValue,
  operation: StateOperation,
  unseen: WeakSet<object>,
): JsonValue {
  const { path } = operation;
  if (!Array.isArray(path) || path.length > MAX_PATH)
    throw new RangeError("The path of a state operation is not one.");
  switch (operation.type) {
    case "set":
      return update(state, path, () => operation.value ?? null, unseen);
    case "append-text":
      return update(
        state,
        path,
        (text) => {
          if (typeof text === "string" && typeof operation.value === "string") return text + operation.value;
          throw new RangeError("There is no text to append to.");
        },
        unseen,
      );
    default:
      throw new RangeError("The type of a state operation is unknown.");
  }
}

function update(
  value: JsonValue | undefined,
  path: readonly string[],
  change: (value: JsonValue | undefined) => JsonValue,
  unseen: WeakSet<object>,
): JsonValue {
  const [first, ...rest] = path;
  if (first === undefined) return change(value);
  const key = String(first);
  if (isArray(value)) {
    const index = Number(key);
    if (!/^(0|[1-9]\d*)$/.test(key) || index > value.length)
      throw new RangeError("There is no such index of an array.");
    const item = update(value[index], rest, change, unseen);
    const items = mutable(value, unseen) ?? own([...value], unseen);
    items[index] = item;
    return items;
  }
  if (value !== undefined && value !== null && !isObject(value))
    throw new RangeError("There is no object on the path.");
  if (key === "__proto__" || key === "constructor" || key === "prototype")
    throw new RangeError("A key is no key of data.");
  const object = value ?? {};
  const item = update(Object.hasOwn(object, key) ? object[key] : undefined, rest, change, unseen);
  const items = mutable(object, unseen) ?? own({ ...object }, unseen);
  items[key] = item;
  return items;
}

/** The object itself, where it may be changed. */
function mutable(object: readonly JsonValue[], unseen: WeakSet<object>): JsonValue[] | undefined;
function mutable(object: JsonObject, unseen: WeakSet<object>): Record<string, JsonValue> | undefined;
function mutable(object: object, unseen: WeakSet<object>): object | undefined {
  return unseen.has(object) ? object : undefined;
}

function own<T extends object>(object: T, unseen: WeakSet<object>): T {
  unseen.add(object);
  return object;
}

function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
