/** Child processes, for scripts that run on whatever Node is installed (20.19 or newer). */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const bin = join(root, "node_modules", ".bin");

/** The environment of all that is started here: the toolchain's own Node comes first. */
export function toolEnv(extra = {}) {
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`, ...extra };
}

/** The toolchain's Node, whatever Node runs this script. */
export function toolNode() {
  return join(bin, process.platform === "win32" ? "node.cmd" : "node");
}

/** Whether a command runs and says yes. */
export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** Path of a command, or undefined. */
export function which(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      if (folder !== "" && existsSync(path)) return path;
    }
  }
  return undefined;
}

/** Runs a command to its end; resolves with its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: "inherit",
      env: toolEnv(options.env),
      ...options.spawn,
    });
    const stop = (signal) => child.kill(signal);
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    child.once("error", (error) => {
      console.error(error.message);
      resolve(127);
    });
    child.once("exit", (code, signal) => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      resolve(code ?? (signal === null ? 1 : 130));
    });
  });
}

/** Ends the script with a text that says what to do. */
export function fail(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}
