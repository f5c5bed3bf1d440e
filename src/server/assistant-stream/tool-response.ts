/** What a tool call comes to. */
import type { JsonValue } from "../../shared/json/json-value.ts";
import type {
  AssistantStreamChunk,
  ToolModelContentPart,
} from "../../shared/protocols/assistant-stream/index.ts";

/** A response, as it may be written by hand. */
export interface ToolResponseLike {
  /** What users see; a tool that returned nothing is `"<no result>"`. */
  readonly result: JsonValue | undefined;
  readonly isError?: boolean | undefined;
  /** Another response follows: the call stays open. */
  readonly isPreliminary?: boolean | undefined;
  /** What only the UI sees. */
  readonly artifact?: JsonValue | undefined;
  /** What the model sees in place of the result. */
  readonly modelContent?: readonly ToolModelContentPart[] | undefined;
  readonly messages?: JsonValue | undefined;
}

/** Return one from a tool's `execute` to say more than its result. */
export class ToolResponse implements ToolResponseLike {
  readonly result: JsonValue | undefined;
  readonly isError: boolean;
  readonly artifact: JsonValue | undefined;
  readonly modelContent: readonly ToolModelContentPart[] | undefined;
  readonly messages: JsonValue | undefined;

  constructor(response: ToolResponseLike) {
    this.result = response.result;
    this.isError = response.isError ?? false;
    this.artifact = response.artifact;
    this.modelContent = response.modelContent;
    this.messages = response.messages;
  }
}

/** A tool that returned nothing did return. */
const NO_RESULT = "<no result>";

/** The chunk that says what the call of part `index` came to. */
export function resultChunk(index: number, response: ToolResponseLike): AssistantStreamChunk {
  const { result = NO_RESULT, isError = false, isPreliminary, artifact, modelContent, messages } = response;
  return {
    type: "result",
    path: [index],
    ...(artifact === undefined ? {} : { artifact }),
    result,
    isError,
    ...(isPreliminary === true ? { isPreliminary } : {}),
    ...(modelContent === undefined ? {} : { modelContent }),
    ...(messages === undefined ? {} : { messages }),
  };
}
