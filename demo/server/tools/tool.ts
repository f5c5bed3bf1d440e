/** A tool that a model may call: a pure function with a name and a description of its arguments. */
import type { JsonObject, JsonValue } from "rejoin/protocols/assistant-stream";

/** A tool of known arguments and result. */
export interface Tool<TArgs extends JsonObject = JsonObject, TResult extends JsonValue = JsonValue> {
  readonly name: string;
  /** For a language model: when to call it. */
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject;
  /** Reads arguments that a model wrote. Throws {@link ToolError}. */
  readArgs(args: JsonObject): TArgs;
  /** Throws {@link ToolError} where the arguments make no sense. */
  run(args: TArgs): TResult;
}

/** A tool's answer that there is none, in words for the model and the user. */
export class ToolError extends Error {
  override readonly name: string = "ToolError";
}

/** A text among arguments. */
export function textArg(args: JsonObject, name: string): string {
  const value = args[name];
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw new ToolError(`"${name}" must be a text.`);
}

/** A number among arguments; small models like to write them as text. */
export function numberArg(args: JsonObject, name: string): number {
  const value = Number(args[name] ?? Number.NaN);
  if (Number.isFinite(value)) return value;
  throw new ToolError(`"${name}" must be a number.`);
}

/** JSON Schema of an object whose properties are all required. */
export function objectSchema(properties: JsonObject): JsonObject {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}
