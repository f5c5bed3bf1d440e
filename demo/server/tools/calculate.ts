/** Arithmetic, with its steps. */
import { evaluateExpression } from "./expression.ts";
import { objectSchema, textArg, type Tool } from "./tool.ts";

/** Result of {@link calculate}. */
export type Calculation = {
  readonly expression: string;
  readonly value: number;
  readonly steps: readonly string[];
};

/** Evaluates arithmetic. */
export const calculate: Tool<{ readonly expression: string }, Calculation> = {
  name: "calculate",
  description: "Evaluates arithmetic exactly as written: + - * / ^ mod, %, sqrt, pi, parentheses.",
  parameters: objectSchema({
    expression: { type: "string", description: "For example (3 + 4) * 12.5, or 15% of 80" },
  }),
  readArgs: (args) => ({ expression: textArg(args, "expression") }),
  run: ({ expression }) => ({ ...evaluateExpression(expression) }),
};
