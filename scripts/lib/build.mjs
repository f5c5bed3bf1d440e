/** Builds the package, and the demo's page from it. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { buildIfChanged } from "./inputs.mjs";
import { root, run } from "./run.mjs";

const common = ["package.json", "package-lock.json", "tsconfig.base.json"];

export function buildPackage() {
  return buildIfChanged("the package", [...common, "tsconfig.build.json", "src"], "dist/index.js", () => {
    // A file that is gone from the sources must be gone from the package.
    rmSync(join(root, "dist"), { recursive: true, force: true });
    return run("tsc", ["-p", "tsconfig.build.json"]);
  });
}

export function buildDemo() {
  return buildIfChanged("the demo", [...common, "src", "demo"], "demo/dist/index.html", () =>
    run("vite", ["build", "demo", "--logLevel", "warn"]),
  );
}
