/** Arithmetic as people write it: read into a tree, then evaluated step by step. */
import { ToolError } from "./tool.ts";

type Operator = "+" | "-" | "×" | "÷" | "^" | "mod";

type Expression =
  | { readonly type: "number"; readonly value: number; readonly text: string }
  | { readonly type: "negate" | "root"; readonly of: Expression }
  | { readonly type: "percent"; readonly of: Expression }
  | { readonly type: "binary"; readonly operator: Operator; readonly a: Expression; readonly b: Expression };

/** A value, and how it was reached. */
export interface Evaluation {
  /** The expression in one notation. */
  readonly expression: string;
  readonly value: number;
  /** One line an operation, in the order of evaluation. */
  readonly steps: readonly string[];
}

const TOKEN =
  /\s*(?:(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)|(\*\*|[-+*/^%()×÷·−√]|\bmod\b|\bof\b|\bsqrt\b|\bpi\b))/iy;
/** What people write, and what it means. */
const SPELLINGS: Readonly<Record<string, string>> = {
  "*": "×",
  "·": "×",
  "/": "÷",
  "−": "-",
  "**": "^",
  sqrt: "√",
  of: "×",
};
const PRECEDENCE: Readonly<Record<Operator, number>> = { "+": 1, "-": 1, "×": 2, "÷": 2, mod: 2, "^": 4 };
const MAX_TOKENS = 200;

/** Evaluates a text such as `(3 + 4) * 12.5`, `15% of 80` or `sqrt(2) ^ 2`. Throws {@link ToolError}. */
export function evaluateExpression(text: string): Evaluation {
  const expression = parse(tokenize(text));
  const steps: string[] = [];
  const value = evaluate(expression, steps);
  if (!Number.isFinite(value)) throw new ToolError("The result is not a finite number.");
  return { expression: write(expression), value, steps };
}

/** Writes a number as people read it: grouped, without the noise of binary fractions. */
export function formatNumber(value: number): string {
  if (value !== 0 && (Math.abs(value) >= 1e15 || Math.abs(value) < 1e-6)) return value.toPrecision(8);
  return value.toLocaleString("en-US", { maximumSignificantDigits: 12, maximumFractionDigits: 10 });
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = text.trimEnd();
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (match === null) throw new ToolError(`Not arithmetic, at "${trimmed.slice(at, at + 12).trim()}".`);
    const token = match[1]?.replaceAll(",", "") ?? match[2]?.toLowerCase() ?? "";
    tokens.push(SPELLINGS[token] ?? token);
  }
  if (tokens.length > MAX_TOKENS) throw new ToolError("The expression is too long.");
  return tokens;
}

function parse(tokens: readonly string[]): Expression {
  let at = 0;
  const expression = binary(1);
  if (at < tokens.length) throw new ToolError(`Not arithmetic, at "${tokens[at]}".`);
  return expression;

  function binary(least: number): Expression {
    let a = unary();
    for (;;) {
      const operator = operatorAt();
      if (operator === null || PRECEDENCE[operator] < least) return a;
      at++;
      // A power of a power is read from the right, all else from the left.
      const b = binary(operator === "^" ? PRECEDENCE[operator] : PRECEDENCE[operator] + 1);
      a = { type: "binary", operator, a, b };
    }
  }

  function operatorAt(): Operator | null {
    const token = tokens[at];
    switch (token) {
      case "+":
      case "-":
      case "×":
      case "÷":
      case "^":
      case "mod":
        return token;
      default:
        return null;
    }
  }

  function unary(): Expression {
    const token = tokens[at];
    if (token === "-" || token === "+") {
      at++;
      // -2² is −4: a sign binds looser than a power.
      const of = binary(3);
      return token === "-" ? { type: "negate", of } : of;
    }
    if (token === "√") {
      at++;
      return { type: "root", of: postfix() };
    }
    return postfix();
  }

  function postfix(): Expression {
    let of = primary();
    while (tokens[at] === "%") {
      at++;
      of = { type: "percent", of };
    }
    return of;
  }

  function primary(): Expression {
    const token = tokens[at++];
    if (token === "(") {
      const inside = binary(1);
      if (tokens[at++] !== ")") throw new ToolError("A parenthesis is not closed.");
      return inside;
    }
    if (token === "pi") return { type: "number", value: Math.PI, text: "π" };
    const value = Number(token ?? Number.NaN);
    if (Number.isNaN(value)) throw new ToolError(`A number is missing${token ? ` before "${token}"` : ""}.`);
    return { type: "number", value, text: formatNumber(value) };
  }
}

function evaluate(expression: Expression, steps: string[]): number {
  switch (expression.type) {
    case "number":
      return expression.value;
    case "negate":
      return -evaluate(expression.of, steps);
    case "percent": {
      const value = evaluate(expression.of, steps);
      return value / 100;
    }
    case "root": {
      const of = evaluate(expression.of, steps);
      if (of < 0) throw new ToolError("A negative number has no real square root.");
      return step(`√${formatNumber(of)}`, Math.sqrt(of), steps);
    }
    case "binary": {
      const a = evaluate(expression.a, steps);
      const b = evaluate(expression.b, steps);
      return step(
        `${operand(expression.a, a)} ${expression.operator} ${operand(expression.b, b)}`,
        apply(expression.operator, a, b),
        steps,
      );
    }
  }
}

function operand(expression: Expression, value: number): string {
  if (expression.type === "percent") return `${formatNumber(value * 100)}%`;
  return value < 0 ? `(${formatNumber(value)})` : formatNumber(value);
}

function apply(operator: Operator, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "×":
      return a * b;
    case "÷":
      if (b === 0) throw new ToolError("Nothing can be divided by zero.");
      return a / b;
    case "mod":
      if (b === 0) throw new ToolError("Nothing can be divided by zero.");
      return a % b;
    case "^":
      return a ** b;
  }
}

function step(text: string, value: number, steps: string[]): number {
  steps.push(`${text} = ${formatNumber(value)}`);
  return value;
}

function write(expression: Expression): string {
  switch (expression.type) {
    case "number":
      return expression.text;
    case "negate":
      return `-${writeInside(expression.of, 3)}`;
    case "root":
      return `√${writeInside(expression.of, 5)}`;
    case "percent":
      return `${writeInside(expression.of, 5)}%`;
    case "binary": {
      const precedence = PRECEDENCE[expression.operator];
      return `${writeInside(expression.a, precedence)} ${expression.operator} ${writeInside(expression.b, precedence + 1)}`;
    }
  }
}

function writeInside(expression: Expression, least: number): string {
  const text = write(expression);
  return expression.type === "binary" && PRECEDENCE[expression.operator] < least ? `(${text})` : text;
}
