/** What the environment says. */
import { ConfigError, type Environment } from "./environment.ts";
import { createBuiltInModel } from "./models/built-in/built-in-model.ts";
import type { ChatModel } from "./models/model.ts";
import { createOpenAiModel } from "./models/openai/openai-model.ts";
import { calculate } from "./tools/calculate.ts";
import { createCalendar } from "./tools/calendar.ts";
import { convertUnits } from "./tools/convert-units.ts";
import { countText } from "./tools/count-text.ts";
import { createDice } from "./tools/roll-dice.ts";
import { searchNotes } from "./tools/search-notes.ts";

/** `PORT`; 3000 by default, 0 for any that is free. */
export function portOf(env: Environment): number {
  const port = Number(env["PORT"] || 3000);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new ConfigError(`PORT must be a number from 0 to 65535, not ${JSON.stringify(env["PORT"])}.`);
}

/**
 * The model: with `OPENAI_BASE_URL` or `OPENAI_API_KEY` an OpenAI-compatible server's `MODEL`, else the built-in one, at
 * `DEMO_TOKENS_PER_SECOND`.
 */
export function modelOf(env: Environment): ChatModel {
  const apiKey = env["OPENAI_API_KEY"] || undefined;
  const model = env["MODEL"] || undefined;
  const baseUrl = env["OPENAI_BASE_URL"] || (apiKey === undefined ? undefined : "https://api.openai.com/v1");
  if (baseUrl === undefined) {
    if (model !== undefined)
      throw new ConfigError("MODEL needs OPENAI_BASE_URL or OPENAI_API_KEY beside it.");
    return createBuiltInModel({ tokensPerSecond: tokensPerSecondOf(env) });
  }
  if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol)) {
    throw new ConfigError(`OPENAI_BASE_URL must be an http(s) URL, not ${JSON.stringify(baseUrl)}.`);
  }
  if (model === undefined && env["OPENAI_BASE_URL"] === undefined) {
    throw new ConfigError("Set MODEL to the model that OPENAI_API_KEY is to be used for.");
  }
  return createOpenAiModel({
    baseUrl: baseUrl.replace(/\/+$/, ""),
    apiKey,
    model,
    tools: [
      calculate,
      createCalendar(() => new Date()),
      convertUnits,
      countText,
      createDice(Math.random),
      searchNotes,
    ],
  });
}

function tokensPerSecondOf(env: Environment): number {
  const tokensPerSecond = Number(env["DEMO_TOKENS_PER_SECOND"] || 40);
  if (tokensPerSecond > 0 && tokensPerSecond <= 100_000) return tokensPerSecond;
  throw new ConfigError(
    `DEMO_TOKENS_PER_SECOND must be a number above 0, not ${JSON.stringify(env["DEMO_TOKENS_PER_SECOND"])}.`,
  );
}
