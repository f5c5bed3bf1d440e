/** Conversations: an app would have its database here. */
import type { AssistantMessage } from "rejoin/protocols/assistant-stream";
import type { FinishedStream } from "rejoin/server";
import type { ConversationMessage } from "../../shared/conversation.ts";
import type { Turn } from "../models/model.ts";

/** An answer, as it is kept. */
export type Answer = Extract<ConversationMessage, { role: "assistant" }>;

/** A question and its answer. */
export interface Exchange {
  readonly question: string;
  readonly answer: Answer;
}

/** What became of a question. */
export type AskVerdict =
  /** It was added, and its answer is `streaming`. */
  | "added"
  /** It was there: the same stream id was asked before. Nothing changed. */
  | "known"
  /** The conversation has {@link MAX_QUESTIONS}. */
  | "full"
  /** The conversation is another owner's. */
  | "foreign";

/** Where conversations are kept. A conversation belongs to whoever asked its first question. */
export interface Conversations {
  /** The exchanges, oldest first; none for a conversation that nobody began. `null` where it is another owner's. */
  read(id: string, owner: string): Promise<readonly Exchange[] | null>;
  /** Adds a question whose answer is to be this stream. */
  ask(id: string, owner: string, streamId: string, question: string): Promise<AskVerdict>;
  /** Saves an answer. A conversation that is gone stays gone. */
  save(id: string, answer: Answer): Promise<void>;
}

/** Questions of one conversation. */
export const MAX_QUESTIONS = 40;

/** What is kept of a question that was just asked. */
export function newAnswer(streamId: string): Answer {
  return { role: "assistant", streamId, status: "streaming" };
}

/** What is kept of an answer that has ended. */
export function finishedAnswer(finished: FinishedStream<AssistantMessage>): Answer {
  const { streamId, status, message, error } = finished;
  return {
    role: "assistant",
    streamId,
    status,
    message,
    ...(error !== undefined && { error: error.message }),
  };
}

/** What a page is told. */
export function messagesOf(exchanges: readonly Exchange[]): ConversationMessage[] {
  return exchanges.flatMap(({ question, answer }): ConversationMessage[] => [
    { role: "user", text: question },
    answer,
  ]);
}

/** What a model is told so that it can answer a question: what was said before, as far as there are answers. */
export function turnsFor(exchanges: readonly Exchange[], streamId: string): Turn[] {
  const at = exchanges.findIndex(({ answer }) => answer.streamId === streamId);
  const before = exchanges.slice(0, at).filter(({ answer }) => answer.message !== undefined);
  const turns = before.flatMap(({ question, answer }): Turn[] => [
    { role: "user", text: question },
    { role: "assistant", text: textOf(answer.message) },
  ]);
  return [...turns, { role: "user", text: exchanges[at]?.question ?? "" }];
}

function textOf(message: AssistantMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}
