/**
 * `npm run test:peers`: runs the tests that touch a peer on the older versions that `peers/package.json` names. Ends with a
 * line `N passed, N failed, N skipped`, as `npm test` does.
 */
import { installFolder, installPackages } from "./lib/install.mjs";
import { prepareServices } from "./lib/services.mjs";
import { runCheck, runPhase, runTests } from "./lib/tests.mjs";

await installPackages();
await installFolder("peers");
const services = await prepareServices();

const tests = (project) => () =>
  runTests(project, ["--config", "peers/vitest.config.ts", "--project", project], services);

const phases = {
  types: () => runCheck("tsc", "-p", "peers/tsconfig.json"),
  redis: tests("redis"),
  react: tests("react"),
  "react-server": tests("react-server"),
};

for (const [name, phase] of Object.entries(phases)) {
  if (!(await runPhase(name, phase))) process.exitCode = 1;
}
