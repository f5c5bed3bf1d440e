/** Installs the packages when they are missing or not those of the lock file. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fail, root, run, succeeds, toolNode } from "./run.mjs";

/** The oldest Node that can install the toolchain, which brings a newer one of its own. */
const OLDEST_NODE = [20, 19];

/** Installs the packages of the repository, the toolchain among them. */
export async function installPackages() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    fail(`Node ${OLDEST_NODE.join(".")} or newer is needed; this is ${process.versions.node}.`);
  }
  await install(root, () => {
    if (succeeds(toolNode(), ["--version"])) return;
    fail(
      "The package `node` was installed, but its install script did not run, so its Node is not there.\n" +
        "Allow install scripts (npm config delete ignore-scripts) and run `npm rebuild node`.",
    );
  });
}

/** Installs the packages of a folder that has a lock file of its own. */
export function installFolder(name) {
  return install(join(root, name), () => {});
}

/** Installs the packages of a folder, unless they are there and those of its lock file. */
async function install(folder, check) {
  const stamp = join(folder, "node_modules", ".installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (installed === wanted && existsSync(toolNode())) return;
  console.log(folder === root ? "Installing packages …" : `Installing packages of ${basename(folder)} …`);
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // Not `npm ci`: it insists on an entry for every platform's build of a tool, also where a registry does not have them all.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const options = { env: { PATH: process.env.PATH }, spawn: { cwd: folder } };
  if ((await run(npm, args, options)) !== 0) {
    fail("npm install failed: see above. Is the npm registry reachable?");
  }
  check();
  writeFileSync(stamp, wanted);
}
