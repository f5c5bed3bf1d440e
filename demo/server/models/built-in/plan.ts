/** How the built-in model answers: it thinks aloud, calls one tool, and writes what the result means. */
import type { JsonObject, JsonValue } from "rejoin/protocols/assistant-stream";
import { ToolError, type Tool } from "../../tools/tool.ts";

/** What the model is going to do with a question. */
export interface Plan {
  /** Said before the tool is called. */
  readonly reasoning: string;
  readonly toolName: string;
  readonly args: JsonObject;
  /** Calls the tool. */
  carryOut(): Outcome;
}

/** What came of a plan. */
export interface Outcome {
  readonly result: JsonValue;
  readonly isError: boolean;
  /** Markdown. */
  readonly answer: string;
}

/** A way to answer some questions; `null` for those that it has no answer to. */
export type Skill = (question: string) => Plan | null;

/** Makes a plan with a tool. */
export function planWith<TArgs extends JsonObject, TResult extends JsonValue>(plan: {
  readonly reasoning: string;
  readonly tool: Tool<TArgs, TResult>;
  readonly args: TArgs;
  readonly answer: (result: TResult) => string;
}): Plan {
  const { reasoning, tool, args } = plan;
  return {
    reasoning,
    toolName: tool.name,
    args,
    carryOut() {
      try {
        const result = tool.run(args);
        return { result, isError: false, answer: plan.answer(result) };
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        return { result: error.message, isError: true, answer: refusal(tool.name, error.message) };
      }
    },
  };
}

function refusal(toolName: string, message: string): string {
  return `I asked my \`${toolName}\` tool, and it declined:

> ${message}

That is an honest answer too. A tool that fails ends neither the stream nor the conversation: the call above is marked as failed, what I had written stays, and I may go on.

### What may help

- Write the numbers or the date in another way.
- Ask one thing at a time; I have small tools.
- Or ask *who are you?* for a list of what I can do.`;
}
