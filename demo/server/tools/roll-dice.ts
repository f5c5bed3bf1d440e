/** Dice, for those who cannot decide. */
import { numberArg, objectSchema, ToolError, type Tool } from "./tool.ts";

/** Result of the dice tool. */
export type DiceRoll = { readonly rolls: readonly number[]; readonly total: number };

/**
 * Dice over a source of randomness.
 *
 * @param random from 0 up to 1.
 */
export function createDice(
  random: () => number,
): Tool<{ readonly count: number; readonly sides: number }, DiceRoll> {
  return {
    name: "roll_dice",
    description: "Rolls dice.",
    parameters: objectSchema({
      count: { type: "integer", minimum: 1, maximum: 20 },
      sides: { type: "integer", minimum: 2, maximum: 1000 },
    }),
    readArgs: (args) => ({ count: numberArg(args, "count"), sides: numberArg(args, "sides") }),
    run({ count, sides }) {
      if (!isIntegerIn(count, 1, 20) || !isIntegerIn(sides, 2, 1000)) {
        throw new ToolError("Roll 1 to 20 dice with 2 to 1000 sides.");
      }
      const rolls = Array.from({ length: count }, () => 1 + Math.floor(random() * sides));
      return { rolls, total: rolls.reduce((sum, roll) => sum + roll, 0) };
    },
  };
}

function isIntegerIn(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
