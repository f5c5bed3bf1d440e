/** Starts follower processes. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FollowerTask } from "../follower.ts";

const script = fileURLToPath(new URL("../follower.ts", import.meta.url));

/** A process that follows. */
export interface FollowerProcess {
  /** What it says next. */
  message(): Promise<unknown>;
  /** Asks it to end, and waits until it has. */
  end(): Promise<void>;
}

/** Starts a process with a task. */
export function startFollower(url: string, task: FollowerTask): FollowerProcess {
  const child: ChildProcess = fork(script, [url, JSON.stringify(task)], { stdio: "inherit" });
  const exited = once(child, "exit");
  return {
    async message() {
      const [message] = await Promise.race([
        once(child, "message"),
        exited.then(([code]) => {
          throw new Error(`A follower process ended with ${code}.`);
        }),
      ]);
      return message;
    },
    async end() {
      if (child.connected) child.send("end");
      await exited;
    },
  };
}
