/** Reads the body of a question, bounded and checked. */
import { isConversationId, MAX_QUESTION_LENGTH, type ChatRequest } from "../shared/conversation.ts";

/** Bytes of a body: a question at its longest, in the longest encoding, and what goes around it. */
export const MAX_BODY_BYTES = 64 * 1024;

/** The question in a body, or why there is none. */
export function readChatRequest(
  body: unknown,
): { readonly ok: true; readonly value: ChatRequest } | { readonly ok: false; readonly reason: string } {
  if (typeof body !== "object" || body === null) return { ok: false, reason: "Send a JSON object." };
  const conversationId: unknown = Reflect.get(body, "conversationId");
  const text: unknown = Reflect.get(body, "text");
  if (!isConversationId(conversationId)) {
    return { ok: false, reason: "conversationId must be 8 to 64 of A-Z a-z 0-9 _ -." };
  }
  if (typeof text !== "string" || text.trim() === "") return { ok: false, reason: "text must be a text." };
  if (text.length > MAX_QUESTION_LENGTH) {
    return { ok: false, reason: `text must not be longer than ${MAX_QUESTION_LENGTH} characters.` };
  }
  return { ok: true, value: { conversationId, text } };
}
