/** Questions about numbers: arithmetic and units. */
import { calculate } from "../../tools/calculate.ts";
import { convertUnits, findUnit, type Conversion } from "../../tools/convert-units.ts";
import { evaluateExpression, formatNumber } from "../../tools/expression.ts";
import { planWith, type Skill } from "./plan.ts";

/** Words around arithmetic in a question, and words for operators. */
const FILLERS =
  /\b(?:what(?:'s|’s| is| are)?|how much is|calculate|compute|evaluate|please|equals?|the|result of)\b|[?=]/gi;
const SPOKEN: readonly (readonly [RegExp, string])[] = [
  [/\bplus\b|\band then add\b/gi, "+"],
  [/\bminus\b/gi, "-"],
  [/\btimes\b|\bmultiplied by\b|(?<=\d)\s*x\s*(?=\d)/gi, "*"],
  [/\bdivided by\b|\bover\b/gi, "/"],
  [/\bto the power of\b/gi, "^"],
  [/\bsquared\b/gi, "^ 2"],
  [/\bcubed\b/gi, "^ 3"],
  [/\b(?:the )?square root of\b/gi, "sqrt"],
  [/\bpercent\b/gi, "%"],
  [/[$€£,](?=\s|$)|[$€£]/g, " "],
];

/** Arithmetic. */
export const answerArithmetic: Skill = (question) => {
  const expression = expressionIn(question);
  if (expression === null) return null;
  return planWith({
    reasoning: `This is arithmetic: ${expression}. I could guess, and models that guess at arithmetic are wrong with great confidence. I have a calculator, so I use it, and then I look at the result from a second side: an estimate should land near it, and a whole number should have factors that multiply back to it.`,
    tool: calculate,
    args: { expression },
    answer: ({ expression, value, steps }) => `**${expression} = ${formatNumber(value)}**

## Step by step

| step | operation |
| ---: | :--- |
${steps.map((step, index) => `| ${index + 1} | ${step} |`).join("\n")}

Powers go first, then multiplication and division, then addition and subtraction; where two are equal, from the left.

## Is that plausible?

${plausibility(value)}

## The same in code

\`\`\`js
const result = ${inCode(expression)};
console.log(result); // ${value}
\`\`\`

The calculator is real and so are its steps; they came through this stream as a **tool call**, arguments first, result later. Had you reloaded between the two, the call would have been waiting here with its arguments, and the result would have filled in.`,
  });
};

/** Conversions such as "26.2 miles in km". */
export const answerConversion: Skill = (question) => {
  const match =
    /(-?\d[\d,]*(?:\.\d+)?)\s*(°?\s*[a-zA-Z²/]+(?: [a-z]+){0,2}?)\s+(?:in|to|into|as)\s+(°?\s*[a-zA-Z²/]+(?: [a-z]+){0,2})/i.exec(
      question.replace(/\bdegrees?\s+/gi, "°"),
    );
  if (match === null) return null;
  const value = Number((match[1] ?? "").replaceAll(",", ""));
  const from = findUnit(match[2] ?? "");
  const to = firstUnit(match[3] ?? "");
  if (from === null || to === null) return null;
  return planWith({
    reasoning: `Somebody wants ${formatNumber(value)} ${from.symbol} in ${to.symbol}. Both have to measure the same thing, or there is nothing to convert; I check that first. Then the factor, the value, and a few values around it, because a table is worth more than a single number to someone who will need the next one in a minute.`,
    tool: convertUnits,
    args: { value, from: from.symbol, to: to.symbol },
    answer: (conversion) => conversionAnswer(conversion),
  });
};

function conversionAnswer({ value, from, result, to, quantity }: Conversion): string {
  const one = convertUnits.run({ value: 1, from, to }).result;
  // Twice a temperature means little, ten degrees more is a coat less.
  const around =
    quantity === "temperature"
      ? [-30, -20, -10, 0, 10, 20, 30].map((more) => value + more)
      : [0.25, 0.5, 1, 2, 5, 10].map((factor) => value * factor);
  const rows = around.map((each) => {
    const converted = formatNumber(rounded(convertUnits.run({ value: each, from, to }).result));
    const row = `${formatNumber(rounded(each))} ${from} | ${converted} ${to}`;
    return each === value ? `| **${row.replace(" | ", "** | **")}** |` : `| ${row} |`;
  });
  return `**${formatNumber(value)} ${from} = ${formatNumber(rounded(result))} ${to}**

## Around that value

| ${from} | ${to} |
| ---: | ---: |
${rows.join("\n")}

## How to do it in your head

- Both are units of **${quantity}**, so one factor${quantity === "temperature" ? " and one shift" : ""} will do.
- 1 ${from} is ${formatNumber(rounded(one))} ${to}.
- Backwards, 1 ${to} is ${formatNumber(rounded(convertUnits.run({ value: 1, from: to, to: from }).result))} ${from}.

## The same in code

\`\`\`js
const toTarget = (value) => ${codeOf({ from, to, one, quantity })};
console.log(toTarget(${value})); // ${result}
\`\`\`

I rounded to six digits for reading; the tool call above has the number as it was computed. And if your connection went away while this table was being drawn: no row is missing, and none is there twice.`;
}

function expressionIn(question: string): string | null {
  let text = question.replace(FILLERS, " ");
  for (const [spoken, written] of SPOKEN) text = text.replace(spoken, written);
  const expression = text
    .replace(/\s+/g, " ")
    .replace(/[.,!;:]\s*$/, "")
    .trim();
  if (!/\d/.test(expression) || !/[-+*/^%×÷·√]|sqrt|mod/i.test(expression)) return null;
  try {
    // A date such as 2026-12-24 is arithmetic too, but nobody means it.
    if (/^\d{4}-\d{2}-\d{2}$/.test(expression)) return null;
    return evaluateExpression(expression).expression;
  } catch (error) {
    const isAlmost = /^[\d\s.+*/^%()×÷·√-]+$/.test(expression) && error instanceof Error;
    return isAlmost ? expression : null;
  }
}

function plausibility(value: number): string {
  const rough = Number(value.toPrecision(1));
  const lines = [`- Roughly **${formatNumber(rough)}**, so the order of magnitude is right.`];
  if (Number.isSafeInteger(value) && Math.abs(value) > 1) {
    const factors = factorsOf(Math.abs(value));
    lines.push(
      factors.length === 1
        ? `- ${formatNumber(value)} is a **prime**: nothing but 1 and itself divides it.`
        : `- Its prime factors are ${factors.join(" × ")}.`,
      `- In binary it is \`${value.toString(2)}\`, in hexadecimal \`${value.toString(16).toUpperCase()}\`.`,
    );
  } else {
    lines.push(
      `- Rounded to two digits after the point it is **${formatNumber(toCents(value))}**.`,
      `- It lies between ${formatNumber(Math.floor(value))} and ${formatNumber(Math.ceil(value))}.`,
    );
  }
  const root = Math.sqrt(Math.abs(value));
  lines.push(
    Number.isInteger(root)
      ? `- It is a square: ${formatNumber(root)} times itself.`
      : `- Its square root is about ${formatNumber(Number(root.toFixed(3)))}, so a square of that side would have this area.`,
  );
  return lines.join("\n");
}

/** Half a cent goes up also where a binary fraction lies just below it. */
function toCents(value: number): number {
  const shifted = Number(`${Number(value.toPrecision(12))}e2`);
  return Number.isNaN(shifted) ? value : Math.round(shifted) / 100;
}

function factorsOf(value: number): number[] {
  const factors: number[] = [];
  let rest = value;
  // A million divisions are a few milliseconds; what is left then is called one factor.
  for (let factor = 2; factor * factor <= rest && factor <= 1_000_000; factor++) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  if (rest > 1) factors.push(rest);
  return factors;
}

function inCode(expression: string): string {
  return expression
    .replace(/(?<=\d),(?=\d{3})/g, "")
    .replace(/([\d.]+)%/g, "($1 / 100)")
    .replace(/√(\([^()]*\)|[\d.]+)/g, (_, of: string) => `Math.sqrt(${of.replace(/^\((.*)\)$/, "$1")})`)
    .replaceAll("×", "*")
    .replaceAll("÷", "/")
    .replaceAll("^", "**")
    .replaceAll(" mod ", " % ")
    .replaceAll("π", "Math.PI");
}

function codeOf(units: { from: string; to: string; one: number; quantity: string }): string {
  if (units.quantity !== "temperature") return `value * ${units.one}`;
  const zero = convertUnits.run({ value: 0, from: units.from, to: units.to }).result;
  const shift = `${zero < 0 ? "-" : "+"} ${rounded(Math.abs(zero))}`;
  return `value * ${rounded(units.one - zero)} ${shift}`;
}

/** The first words of a text that are a unit: "km please" has one. */
function firstUnit(text: string): { readonly symbol: string } | null {
  const words = text.trim().split(" ");
  for (let length = words.length; length > 0; length--) {
    const unit = findUnit(words.slice(0, length).join(" "));
    if (unit !== null) return unit;
  }
  return null;
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
