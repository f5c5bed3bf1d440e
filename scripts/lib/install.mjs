/** Installs the packages when they are missing or not those of the lock file. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, root, run, succeeds, toolNode } from "./run.mjs";

const stamp = join(root, "node_modules", ".installed");

/** The oldest Node that can install the toolchain, which brings a newer one of its own. */
const OLDEST_NODE = [20, 19];

export async function installPackages() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    fail(`Node ${OLDEST_NODE.join(".")} or newer is needed; this is ${process.versions.node}.`);
  }
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (installed === wanted && existsSync(toolNode())) return;
  console.log("Installing packages …");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // Not `npm ci`: it insists on an entry for every platform's build of a tool, also where a registry does not have them all.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  if ((await run(npm, args, { env: { PATH: process.env.PATH } })) !== 0) {
    fail("npm install failed: see above. Is the npm registry reachable?");
  }
  if (!succeeds(toolNode(), ["--version"])) {
    fail(
      "The package `node` was installed, but its install script did not run, so its Node is not there.\n" +
        "Allow install scripts (npm config delete ignore-scripts) and run `npm rebuild node`.",
    );
  }
  writeFileSync(stamp, wanted);
}
