/** Conversations, in memory and bounded. An app would have a database here. */
import type { FinishedStream } from "rejoin/server";
import type { AssistantMessage } from "rejoin/protocols/assistant-stream";
import type { ConversationMessage } from "../shared/conversation.ts";
import type { Turn } from "./models/model.ts";

/** Bounds of {@link createConversations}. */
export interface ConversationBounds {
  /** The one that was used least recently goes when there are more; 200 by default. */
  readonly maxConversations?: number;
  /** Questions in one; 40 by default. */
  readonly maxQuestions?: number;
}

/** A conversation of somebody. */
export interface StoredConversation {
  readonly isFull: boolean;
  messages(): readonly ConversationMessage[];
  has(streamId: string): boolean;
  /** Adds a question, whose answer is to be this stream; a stream that is there already changes nothing. */
  ask(streamId: string, text: string): void;
  /** What a model is told so that it can answer a question. */
  turnsUpTo(streamId: string): readonly Turn[];
  /** Saves an answer. */
  save(finished: FinishedStream<AssistantMessage>): void;
}

/** The conversations of a server. */
export interface Conversations {
  /** The conversation, new where there is none; `null` where it is another owner's. */
  open(id: string, owner: string): StoredConversation | null;
  /** As `open`, but does not keep a new one: to look is not to begin. */
  look(id: string, owner: string): StoredConversation | null;
}

type Answer = Extract<ConversationMessage, { role: "assistant" }>;

interface Exchange {
  readonly question: string;
  answer: Answer;
}

/** Makes the conversations of a server. */
export function createConversations(bounds: ConversationBounds = {}): Conversations {
  const { maxConversations = 200, maxQuestions = 40 } = bounds;
  const all = new Map<string, { readonly owner: string; readonly conversation: StoredConversation }>();

  function look(id: string, owner: string): StoredConversation | null {
    const found = all.get(id);
    if (found === undefined) return createConversation(maxQuestions);
    return found.owner === owner ? found.conversation : null;
  }

  return {
    look,
    open(id, owner) {
      const conversation = look(id, owner);
      if (conversation === null) return null;
      // Again at the end: a Map keeps the order of insertion, so the first is the one used least recently.
      all.delete(id);
      all.set(id, { owner, conversation });
      for (const oldest of all.keys()) {
        if (all.size <= maxConversations) break;
        all.delete(oldest);
      }
      return conversation;
    },
  };
}

function createConversation(maxQuestions: number): StoredConversation {
  const exchanges = new Map<string, Exchange>();
  return {
    get isFull() {
      return exchanges.size >= maxQuestions;
    },
    messages: () =>
      [...exchanges.values()].flatMap(({ question, answer }): ConversationMessage[] => [
        { role: "user", text: question },
        answer,
      ]),
    has: (streamId) => exchanges.has(streamId),
    ask(streamId, text) {
      if (exchanges.has(streamId)) return;
      exchanges.set(streamId, {
        question: text,
        answer: { role: "assistant", streamId, status: "streaming" },
      });
    },
    turnsUpTo(streamId) {
      const turns: Turn[] = [];
      for (const [id, { question, answer }] of exchanges) {
        if (id !== streamId && answer.message === undefined) continue;
        turns.push({ role: "user", text: question });
        if (id === streamId) break;
        turns.push({ role: "assistant", text: textOf(answer.message) });
      }
      return turns;
    },
    save({ streamId, message, status, error }) {
      const exchange = exchanges.get(streamId);
      if (exchange === undefined) return;
      exchange.answer = {
        role: "assistant",
        streamId,
        status,
        message,
        ...(error !== undefined && { error: error.message }),
      };
    },
  };
}

function textOf(message: AssistantMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}
