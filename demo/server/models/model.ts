/** What the demo needs of a model. */
import type { AssistantStreamChunk } from "rejoin/protocols/assistant-stream";

/** One turn of a conversation, as models see it. */
export interface Turn {
  readonly role: "user" | "assistant";
  readonly text: string;
}

/** A model. */
export interface ChatModel {
  /** For people: at the start of the server, and on the page. */
  readonly label: string;
  /**
   * Answers the last turn, which is the user's. Ends with `message-finish`; throws where the model fails, and soon after
   * `signal` fires.
   */
  respond(turns: readonly Turn[], signal: AbortSignal): AsyncIterable<AssistantStreamChunk>;
}

/** A model's failure, with a text that users may read. */
export class ModelError extends Error {
  override readonly name: string = "ModelError";
  readonly publicMessage: string;

  constructor(message: string, publicMessage: string, options?: ErrorOptions) {
    super(message, options);
    this.publicMessage = publicMessage;
  }
}
