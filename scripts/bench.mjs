/** `npm run bench`: installs what is missing and measures. `npm run bench -- delivery` runs one measurement only. */
import { installFolder, installPackages } from "./lib/install.mjs";
import { run, toolNode } from "./lib/run.mjs";
import { prepareServices } from "./lib/services.mjs";

await installPackages();
await installFolder("bench");
const services = await prepareServices();
const code = await run(toolNode(), ["--expose-gc", "bench/run.ts", ...process.argv.slice(2)], {
  env: services,
});
if (code === 0 && process.argv.length === 2)
  await run("prettier", ["--write", "--log-level=warn", "docs/performance.md"]);
process.exitCode = code;
