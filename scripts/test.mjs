/**
 * `npm test`: installs what is missing and checks everything. `npm test -- unit dom` runs only those phases. Ends with a
 * line `N passed, N failed, N skipped`; a check that is no test counts as one.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildDemo, buildPackage } from "./lib/build.mjs";
import { installPackages } from "./lib/install.mjs";
import { fail, isInterrupted, run } from "./lib/run.mjs";
import { prepareServices } from "./lib/services.mjs";

const total = { passed: 0, failed: 0, skipped: 0 };
const reports = mkdtempSync(join(tmpdir(), "rejoin-test-"));
let services = {};

// However this ends, what was counted is the last line; an end before that is one more failure.
process.once("exit", (code) => {
  rmSync(reports, { recursive: true, force: true });
  const failed = code !== 0 && total.failed === 0 ? 1 : total.failed;
  console.log(`\n${total.passed} passed, ${failed} failed, ${total.skipped} skipped`);
});

/** A check that passes or fails as a whole. */
const check =
  (command, ...args) =>
  async () =>
    (await run(command, args)) === 0 ? { passed: 1 } : { failed: 1 };

/** Tests that vitest runs. */
const tests =
  (project, ...options) =>
  async () => {
    const report = join(reports, `${project}.json`);
    const args = ["run", ...options, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const code = await run("vitest", args, { env: services });
    try {
      const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
        readFileSync(report, "utf8"),
      );
      // A file that could not be loaded has no test that failed.
      const failed = numFailedTests > 0 ? numFailedTests : code === 0 && numPassedTests > 0 ? 0 : 1;
      return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
    } catch {
      return { failed: 1 };
    }
  };

const build = async () => {
  const code = (await buildPackage()) || (await buildDemo());
  return code === 0 ? { passed: 1 } : { failed: 1 };
};

const phases = {
  format: check("prettier", "--check", "--log-level=warn", "."),
  lint: check("oxlint", "--deny-warnings"),
  build,
  types: check("tsc", "-p", "tsconfig.json"),
  unit: tests("unit", "--project", "unit"),
  dom: tests("dom", "--project", "dom"),
  browser: tests("browser", "--project", "browser"),
  stories: tests("stories", "--config", "vitest.stories.config.ts"),
  package: tests("package", "--project", "package"),
};

const only = process.argv.slice(2);
for (const name of only) {
  if (!Object.hasOwn(phases, name))
    fail(`There is no phase "${name}". Phases: ${Object.keys(phases).join(", ")}.`);
}

await installPackages();
const isWanted = (name) => only.length === 0 || only.includes(name);
if (["unit", "browser", "stories", "package"].some(isWanted)) services = await prepareServices();

const failures = [];
for (const [name, phase] of Object.entries(phases)) {
  if (!isWanted(name)) continue;
  console.log(`\n── ${name} ${"─".repeat(Math.max(0, 60 - name.length))}`);
  const start = performance.now();
  const { passed = 0, failed = 0, skipped = 0 } = await phase();
  if (isInterrupted()) process.exit(130);
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  if (failed > 0) failures.push(name);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped, in ${seconds} s.`);
  // What follows tests what was built.
  if (name === "build" && failed > 0) break;
}

if (failures.length > 0) console.log(`\nFailed: ${failures.join(", ")}.`);
process.exitCode = total.failed > 0 ? 1 : 0;
