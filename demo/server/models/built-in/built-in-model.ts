/** The model that needs no network: a few real tools, some notes, and a steady pace. */
import type { AssistantStreamChunk } from "rejoin/protocols/assistant-stream";
import { createCalendar } from "../../tools/calendar.ts";
import { createDice } from "../../tools/roll-dice.ts";
import type { ChatModel } from "../model.ts";
import { createPace, tokensOf } from "./pace.ts";
import type { Plan, Skill } from "./plan.ts";
import { answerFromNotes } from "./skills-notes.ts";
import { answerArithmetic, answerConversion } from "./skills-numbers.ts";
import { answerCounting, answerDates, answerStory } from "./skills-words.ts";

/** Options of {@link createBuiltInModel}. */
export interface BuiltInModelOptions {
  /** 40 by default. */
  readonly tokensPerSecond?: number;
  /** The clock of the calendar. */
  readonly now?: () => Date;
  /** The dice's randomness, from 0 up to 1. */
  readonly random?: () => number;
}

/** Tokens that a tool "takes": a moment in which one can see its arguments. */
const TOOL_TOKENS = 50;

/** Makes the built-in model. */
export function createBuiltInModel(options: BuiltInModelOptions = {}): ChatModel {
  const { tokensPerSecond = 40, now = () => new Date(), random = Math.random } = options;
  const skills: readonly Skill[] = [
    answerStory(createDice(random)),
    answerConversion,
    answerArithmetic,
    answerCounting,
    answerDates(createCalendar(now), now),
  ];

  function planFor(question: string): Plan {
    for (const skill of skills) {
      const plan = skill(question);
      if (plan !== null) return plan;
    }
    return answerFromNotes(question);
  }

  return {
    label: "the built-in demo model",
    async *respond(turns, signal) {
      const question = turns.findLast((turn) => turn.role === "user")?.text ?? "";
      const plan = planFor(question);
      const pace = createPace(tokensPerSecond, signal);
      let written = 0;

      async function* write(part: number, text: string): AsyncGenerator<AssistantStreamChunk> {
        for (const token of tokensOf(text)) {
          await pace.next();
          written++;
          yield { type: "text-delta", path: [part], textDelta: token };
        }
      }

      yield { type: "part-start", path: [], part: { type: "reasoning" } };
      yield* write(0, thoughtsOf(question, plan));
      yield { type: "part-finish", path: [0] };

      const toolCallId = `${plan.toolName}-1`;
      yield {
        type: "part-start",
        path: [],
        part: { type: "tool-call", toolCallId, toolName: plan.toolName },
      };
      yield* write(1, JSON.stringify(plan.args));
      yield { type: "tool-call-args-text-finish", path: [1] };
      await pace.next(TOOL_TOKENS);
      const { result, isError, answer } = plan.carryOut();
      yield { type: "result", path: [1], result, isError };
      yield { type: "part-finish", path: [1] };

      yield { type: "part-start", path: [], part: { type: "text" } };
      yield* write(2, answer);
      yield { type: "part-finish", path: [2] };
      yield {
        type: "message-finish",
        path: [],
        finishReason: "stop",
        usage: { inputTokens: tokensOf(question).length, outputTokens: written },
      };
    },
  };
}

function thoughtsOf(question: string, { reasoning, toolName }: Plan): string {
  const line = question.replace(/\s+/g, " ").trim();
  return `The question is “${line.length > 80 ? `${line.slice(0, 79)}…` : line}”. ${reasoning}

So: \`${toolName}\` first. Then the answer itself, then how I came to it, so that it can be checked.`;
}
