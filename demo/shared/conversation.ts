/** What server and page of the demo tell each other. */
import type { AssistantMessage } from "rejoin/protocols/assistant-stream";

/** Path of the route that asks. */
export const CHAT_PATH = "/api/chat";
/** Base path of rejoin's handler. */
export const STREAMS_PATH = "/api/streams";
/** Path of conversations; the id follows. */
export const CONVERSATIONS_PATH = "/api/conversations";

/** The longest question, in UTF-16 units. */
export const MAX_QUESTION_LENGTH = 8_000;

/** Body of a POST to {@link CHAT_PATH}. */
export interface ChatRequest {
  readonly conversationId: string;
  readonly text: string;
}

/** A question, or its answer. */
export type ConversationMessage =
  | {
      readonly role: "user";
      readonly text: string;
    }
  | {
      readonly role: "assistant";
      /** The stream of the answer. */
      readonly streamId: string;
      /** `streaming` until the answer was saved. */
      readonly status: "streaming" | "done" | "error" | "stopped";
      /** The saved answer. */
      readonly message?: AssistantMessage;
      /** A text fit for users; present when the status is `error`. */
      readonly error?: string;
    };

/** Body of a GET of a conversation. */
export interface Conversation {
  readonly messages: readonly ConversationMessage[];
  /** It takes no more questions. */
  readonly isFull: boolean;
  /** Who answers. */
  readonly model: string;
}

/** Whether a text can name a conversation. */
export function isConversationId(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9_-]{8,64}$/.test(value);
}
