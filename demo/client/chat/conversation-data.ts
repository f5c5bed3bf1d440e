/** A conversation as this tab knows it: what the server said, and questions that it may not have yet. */
import type { Conversation, ConversationMessage } from "../../shared/conversation.ts";
import { readSessionValue, writeSessionValue } from "../lib/session-value.ts";

/** An exchange: a question and its answer's stream. */
export interface Exchange {
  readonly streamId: string;
  readonly question: string;
  readonly answer: Extract<ConversationMessage, { role: "assistant" }>;
  /** The server has it. */
  readonly isConfirmed: boolean;
}

/** What the page shows. */
export interface ConversationData {
  readonly exchanges: readonly Exchange[];
  readonly isFull: boolean;
  readonly model: string | null;
}

/** Before anything is known. */
export const EMPTY: ConversationData = { exchanges: [], isFull: false, model: null };

/** What the server said, with the questions of this tab that it does not have yet. */
export function mergeConversation(known: ConversationData, server: Conversation): ConversationData {
  const exchanges = exchangesOf(server.messages);
  const confirmed = new Set(exchanges.map(({ streamId }) => streamId));
  const waiting = known.exchanges.filter((each) => !each.isConfirmed && !confirmed.has(each.streamId));
  return { exchanges: [...exchanges, ...waiting], isFull: server.isFull, model: server.model };
}

/** With a question that is being asked. */
export function withQuestion(known: ConversationData, streamId: string, question: string): ConversationData {
  const exchange: Exchange = {
    streamId,
    question,
    answer: { role: "assistant", streamId, status: "streaming" },
    isConfirmed: false,
  };
  const others = known.exchanges.filter((each) => each.streamId !== streamId);
  return { ...known, exchanges: [...others, exchange] };
}

const keyOf = (id: string): string => `rejoin-demo:conversation:${id}`;

/** What this tab knew before a reload; so that all of it is on the screen before the network answers. */
export function recallConversation(id: string): ConversationData | undefined {
  const text = readSessionValue(keyOf(id));
  if (text === null) return undefined;
  try {
    // Written below, by this page, in this tab.
    const data: ConversationData = JSON.parse(text);
    return data;
  } catch {
    return undefined;
  }
}

/** Keeps what this tab knows. */
export function rememberConversation(id: string, data: ConversationData): void {
  writeSessionValue(keyOf(id), data.exchanges.length === 0 ? "" : JSON.stringify(data));
}

function exchangesOf(messages: readonly ConversationMessage[]): Exchange[] {
  const exchanges: Exchange[] = [];
  let question = "";
  for (const message of messages) {
    if (message.role === "user") question = message.text;
    else {
      exchanges.push({ streamId: message.streamId, question, answer: message, isConfirmed: true });
      question = "";
    }
  }
  return exchanges;
}
