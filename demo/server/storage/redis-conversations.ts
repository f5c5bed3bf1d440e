/** Conversations in Redis: every instance of the demo has them, and a restart leaves them there. */
import type { RedisClientType } from "redis";
import { MAX_QUESTIONS, newAnswer, type Answer, type Conversations, type Exchange } from "./conversations.ts";

/** The commands that are used. */
type RedisCommands = Pick<
  RedisClientType,
  "hGetAll" | "hSetNX" | "hSet" | "hGet" | "hLen" | "expire" | "exists"
>;

/** A conversation is one hash: its owner, and two fields an exchange, named by number so that they have an order. */
const KEPT_S = 24 * 3600;
const OWNER = "owner";

/** Makes conversations on a client that is connected. */
export function createRedisConversations(client: RedisCommands, keyPrefix = "rejoin-demo"): Conversations {
  const keyOf = (id: string): string => `${keyPrefix}:conversation:{${id}}`;

  return {
    async read(id, owner) {
      const fields = await client.hGetAll(keyOf(id));
      const has = Object.keys(fields).length > 0;
      if (has && fields[OWNER] !== owner) return null;
      return exchangesOf(fields);
    },
    async ask(id, owner, streamId, question) {
      const key = keyOf(id);
      await client.hSetNX(key, OWNER, owner);
      const fields = await client.hGetAll(key);
      if (fields[OWNER] !== owner) return "foreign";
      if (fields[questionField(streamId)] !== undefined) return "known";
      const count = exchangesOf(fields).length;
      if (count >= MAX_QUESTIONS) return "full";
      await client.hSet(key, {
        [questionField(streamId)]: JSON.stringify({ at: Date.now(), question }),
        [answerField(streamId)]: JSON.stringify(newAnswer(streamId)),
      });
      await client.expire(key, KEPT_S);
      return "added";
    },
    async save(id, answer) {
      const key = keyOf(id);
      if ((await client.exists(key)) === 0) return;
      await client.hSet(key, answerField(answer.streamId), JSON.stringify(answer));
      await client.expire(key, KEPT_S);
    },
  };
}

function questionField(streamId: string): string {
  return `question:${streamId}`;
}

function answerField(streamId: string): string {
  return `answer:${streamId}`;
}

function exchangesOf(fields: Readonly<Record<string, string>>): Exchange[] {
  return Object.entries(fields)
    .filter(([field]) => field.startsWith("question:"))
    .map(([field, text]) => {
      // Written above, by this program.
      const { at, question }: { at: number; question: string } = JSON.parse(text);
      const streamId = field.slice("question:".length);
      const answer: Answer = JSON.parse(fields[answerField(streamId)] ?? JSON.stringify(newAnswer(streamId)));
      return { at, question, answer };
    })
    .toSorted((a, b) => a.at - b.at)
    .map(({ question, answer }) => ({ question, answer }));
}
