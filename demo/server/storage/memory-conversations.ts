/** Conversations in this process' memory, gone with it. */
import { MAX_QUESTIONS, newAnswer, type Answer, type Conversations } from "./conversations.ts";

/** The one that was used least recently goes when there are more. */
const MAX_CONVERSATIONS = 200;

interface Conversation {
  readonly owner: string;
  /** By the answer's stream. */
  readonly exchanges: Map<string, { readonly question: string; answer: Answer }>;
}

/** Makes an empty memory. */
export function createMemoryConversations(maxConversations: number = MAX_CONVERSATIONS): Conversations {
  const all = new Map<string, Conversation>();

  function touch(id: string, conversation: Conversation): void {
    // Again at the end: a Map keeps the order of insertion, so the first is the one used least recently.
    all.delete(id);
    all.set(id, conversation);
    for (const oldest of all.keys()) {
      if (all.size <= maxConversations) return;
      all.delete(oldest);
    }
  }

  return {
    async read(id, owner) {
      const conversation = all.get(id);
      if (conversation === undefined) return [];
      return conversation.owner === owner ? [...conversation.exchanges.values()] : null;
    },
    async ask(id, owner, streamId, question) {
      const conversation = all.get(id) ?? { owner, exchanges: new Map() };
      if (conversation.owner !== owner) return "foreign";
      if (conversation.exchanges.has(streamId)) return "known";
      if (conversation.exchanges.size >= MAX_QUESTIONS) return "full";
      conversation.exchanges.set(streamId, { question, answer: newAnswer(streamId) });
      touch(id, conversation);
      return "added";
    },
    async save(id, answer) {
      const exchange = all.get(id)?.exchanges.get(answer.streamId);
      if (exchange !== undefined) exchange.answer = answer;
    },
  };
}
