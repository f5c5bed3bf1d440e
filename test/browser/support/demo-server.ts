/** The demo's server as `npm start` runs it: a process of its own, on the built package and page. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** A running demo. */
export interface DemoServer {
  readonly url: string;
  /** What it printed at its start. */
  readonly output: string;
  /** Asks it to end, and waits until it has. */
  close(): Promise<void>;
}

/** Starts the demo on a free port. Throws with what it printed where it does not come up. */
export async function startDemo(env: Readonly<Record<string, string>> = {}): Promise<DemoServer> {
  const child = spawn(process.execPath, ["demo/server/main.ts"], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(String(chunk)));
  const exited = once(child, "exit");
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const url = /^rejoin demo: (\S+)$/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return {
      url,
      output: lines.join("\n"),
      async close() {
        child.kill("SIGTERM");
        await exited;
      },
    };
  }
  throw new Error(`The demo did not start: ${errors.join("")}`);
}
