/** Starts processes that produce into Redis. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ProducerMessage, ProducerTask } from "./redis-producer.ts";

const script = fileURLToPath(new URL("./redis-producer.ts", import.meta.url));

/** A process that produces. */
export interface ProducerProcess {
  /** All that it has said. */
  readonly messages: readonly ProducerMessage[];
  /** Resolves when it says, or has said, something. */
  said(type: ProducerMessage["type"]): Promise<ProducerMessage>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts one; resolves when its stream has begun. */
export async function startProducer(task: ProducerTask): Promise<ProducerProcess> {
  const child = fork(script, [JSON.stringify(task)], { stdio: "inherit" });
  const messages: ProducerMessage[] = [];
  const ended = once(child, "exit").then(() => {
    throw new Error("A producer's process has ended.");
  });
  ended.catch(() => {});
  child.on("message", (message: ProducerMessage) => messages.push(message));
  const producer: ProducerProcess = {
    messages,
    async said(type) {
      for (;;) {
        const found = messages.find((message) => message.type === type);
        if (found !== undefined) return found;
        await Promise.race([once(child, "message"), ended]);
      }
    },
    kill: (signal) => void child.kill(signal),
  };
  await producer.said("started");
  return producer;
}
