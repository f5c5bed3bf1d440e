/**
 * `npm test`: installs what is missing and checks everything. `npm test -- unit dom` runs only those phases. Ends with a
 * line `N passed, N failed, N skipped`; a check that is no test counts as one.
 */
import { buildDemo, buildPackage } from "./lib/build.mjs";
import { installPackages } from "./lib/install.mjs";
import { fail } from "./lib/run.mjs";
import { prepareServices } from "./lib/services.mjs";
import { runCheck, runPhase, runTests } from "./lib/tests.mjs";

let services = {};

const check =
  (...command) =>
  () =>
    runCheck(...command);

const tests =
  (project, ...options) =>
  () =>
    runTests(project, options, services);

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
  const isGood = await runPhase(name, phase);
  if (!isGood) failures.push(name);
  // What follows tests what was built.
  if (name === "build" && !isGood) break;
}

if (failures.length > 0) console.log(`\nFailed: ${failures.join(", ")}.`);
process.exitCode = failures.length > 0 ? 1 : 0;
