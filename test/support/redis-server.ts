/** A real Redis of a test's own, on a free port. A missing server fails the run; nothing is ever skipped. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Ends it, as a crash does, and starts it anew on the same port; with persistence it has what was written. */
  restart(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

function redisPath(): string {
  const given = process.env["REDIS_SERVER_PATH"];
  if (given) return given;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = ["redis-server", "valkey-server"]
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(existsSync);
  if (found !== undefined) return found;
  throw new Error(
    "redis-server is missing. Install it (apt-get install redis-server), or set REDIS_SERVER_PATH.",
  );
}

/** How many ports are tried. */
const PORTS = 5;

/** Starts something on a port that is free. That may be somebody else's by the time it is taken: then another is tried. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (tried === PORTS) throw error;
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Starts a server on a free port; resolves when it answers. `options` are lines of its configuration. */
export function startRedis(options: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  return onFreePort((port) => startRedisOn(port, options));
}

async function startRedisOn(port: number, options: Readonly<Record<string, string>>): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "rejoin-redis-"));
  let child: ChildProcess;

  async function start(): Promise<void> {
    const settings = {
      save: "",
      appendonly: "no",
      ...options,
      port: String(port),
      bind: "127.0.0.1",
      dir: folder,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    child = spawn(redisPath(), args, { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on("data", (data: Buffer) => {
        if (String(data).includes("Ready to accept connections")) resolve();
      });
      child.once("exit", (code) => reject(new Error(`redis-server ended with ${code} before it was ready.`)));
      child.once("error", reject);
    });
  }

  const exited = (): Promise<void> =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise((resolve) => child.once("exit", () => resolve()));

  try {
    await start();
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    async restart() {
      child.kill("SIGKILL");
      await exited();
      await start();
    },
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill("SIGKILL");
      await exited();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
