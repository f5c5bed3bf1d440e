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

/** Path of the first of the commands that is there and fits, or undefined. */
export function which(names, fits = () => true) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path) && fits(path));
}

/** How often it is looked whether npm is still there. */
const ORPHAN_CHECK_MS = 250;

const parent = process.ppid;

let interrupted = false;

/** Whether somebody asked for the end: what comes next need not begin. */
export function isInterrupted() {
  return interrupted;
}

/**
 * Runs a command to its end; resolves with its exit code. Being asked to end, or left behind by the npm that ran the
 * script, it asks the command to end, and waits for it.
 *
 * @param options `env` is added to {@link toolEnv}; `spawn` is added to the options of `child_process.spawn`.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: "inherit",
      env: toolEnv(options.env),
      ...options.spawn,
    });
    const onSignal = (signal) => {
      interrupted = true;
      // Ctrl-C reaches every process of the terminal, and asking a second time would be pressing it twice.
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    };
    // An npm that is ended ends its shell, and the shell tells nobody.
    const orphanCheck = setInterval(() => {
      if (process.env.npm_lifecycle_event === undefined || process.ppid === parent) return;
      clearInterval(orphanCheck);
      onSignal("SIGTERM");
    }, ORPHAN_CHECK_MS);
    const finish = (code) => {
      clearInterval(orphanCheck);
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
      resolve(code);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
    child.once("error", (error) => {
      console.error(error.message);
      finish(127);
    });
    child.once("exit", (code) => finish(code ?? 130));
  });
}

/** Ends the script with a text that says what to do. */
export function fail(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}
