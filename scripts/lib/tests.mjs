/** Runs tests with vitest, and counts them. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInterrupted, run } from "./run.mjs";

const reports = mkdtempSync(join(tmpdir(), "rejoin-test-"));
const total = { passed: 0, failed: 0, skipped: 0 };

// However this ends, what was counted is the last line; an end before that is one more failure.
process.once("exit", (code) => {
  rmSync(reports, { recursive: true, force: true });
  const failed = code !== 0 && total.failed === 0 ? 1 : total.failed;
  console.log(`\n${total.passed} passed, ${failed} failed, ${total.skipped} skipped`);
});

/** A check that passes or fails as a whole. */
export async function runCheck(command, ...args) {
  return (await run(command, args)) === 0 ? { passed: 1 } : { failed: 1 };
}

/** Tests that vitest runs. `name` is that of the report. */
export async function runTests(name, options, env) {
  const report = join(reports, `${name}.json`);
  const args = ["run", ...options, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const code = await run("vitest", args, { env });
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
}

/** Runs a phase under its name and counts what it came to; whether nothing failed. */
export async function runPhase(name, phase) {
  console.log(`\n── ${name} ${"─".repeat(Math.max(0, 60 - name.length))}`);
  const start = performance.now();
  const { passed = 0, failed = 0, skipped = 0 } = await phase();
  if (isInterrupted()) process.exit(130);
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped, in ${seconds} s.`);
  return failed === 0;
}
