/** `npm start`: installs what is missing, builds what has changed, and serves the demo on PORT (3000). */
import { buildDemo, buildPackage } from "./lib/build.mjs";
import { installPackages } from "./lib/install.mjs";
import { fail, run, toolNode } from "./lib/run.mjs";

const port = process.env.PORT ?? "3000";
if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
  fail(`PORT must be a number from 0 to 65535, got "${port}".`);

await installPackages();
if ((await buildPackage()) !== 0) fail("The package could not be built: see above.");
if ((await buildDemo()) !== 0) fail("The demo could not be built: see above.");

// The server prints its address once it answers.
process.exitCode = await run(toolNode(), ["demo/server/main.ts"], {
  env: {
    PORT: port,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --disable-warning=ExperimentalWarning`.trim(),
  },
});
