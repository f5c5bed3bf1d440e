/** Changes of a message's state: a path into JSON, and a new value or more text there. What is not on the path is shared. */
import { isObject, type JsonObject, type JsonValue } from "../../json/json-value.ts";
import type { StateOperation } from "./chunks.ts";

/** Paths are as deep as somebody wrote them by hand. */
const MAX_PATH = 64;
/** Keys that are no keys of data. */
const FORBIDDEN_KEYS: readonly string[] = ["__proto__", "constructor", "prototype"];

/**
 * Applies an operation. Returns `undefined`, and changes nothing, where the path or the operation makes no sense.
 *
 * @param unseen objects that this function made and that nobody has looked at: they are changed in place, so that many
 *   operations on a large state cost what they change.
 */
export function applyStateOperation(
  state: JsonValue,
  operation: StateOperation,
  unseen: WeakSet<object>,
): JsonValue | undefined {
  if (!isObject(operation)) return undefined;
  const { type, path, value = null } = operation;
  if (!Array.isArray(path) || path.length > MAX_PATH) return undefined;
  return update(state, 0);

  function update(before: JsonValue | undefined, depth: number): JsonValue | undefined {
    if (depth === path.length) return change(before);
    const step: unknown = path[depth];
    const key = typeof step === "number" ? String(step) : step;
    const container = before ?? {};
    if (typeof key !== "string" || !mayHold(container, key)) return undefined;
    const item = update(Object.hasOwn(container, key) ? Reflect.get(container, key) : undefined, depth + 1);
    if (item === undefined) return undefined;
    const changed = unseen.has(container)
      ? container
      : isObject(container)
        ? { ...container }
        : [...container];
    unseen.add(changed);
    Reflect.set(changed, key, item);
    return changed;
  }

  function change(before: JsonValue | undefined): JsonValue | undefined {
    if (type === "set") return value;
    const isText = type === "append-text" && typeof before === "string" && typeof value === "string";
    return isText ? before + value : undefined;
  }
}

function mayHold(container: JsonValue, key: string): container is JsonObject | readonly JsonValue[] {
  if (Array.isArray(container))
    return key === String(container.length) || (key !== "length" && Object.hasOwn(container, key));
  return isObject(container) && !FORBIDDEN_KEYS.includes(key);
}
