/** Programs that the tests drive. They come from the system's package manager; nothing is downloaded by other means. */
import { fail, run, succeeds, which } from "./run.mjs";

/** What is looked for: commands in the path, then files; and what package managers call it. */
export const PROGRAMS = [
  {
    name: "Chromium",
    variable: "CHROMIUM_PATH",
    commands: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    files: [
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
    apt: "chromium",
    brew: ["--cask", "chromium"],
  },
  {
    name: "Redis",
    variable: "REDIS_SERVER_PATH",
    commands: ["redis-server", "valkey-server"],
    files: [],
    apt: "redis-server",
    brew: ["redis"],
  },
];

/** Some systems have a command of that name that only says how to install it. */
const runs = (path) => succeeds(path, ["--version"]);

function find(program) {
  const given = process.env[program.variable];
  if (given) {
    if (runs(given)) return given;
    fail(`${program.variable} is ${given}, which does not run.`);
  }
  return which(program.commands, runs) ?? program.files.find(runs);
}

async function install(programs) {
  const asRoot = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (which(["apt-get"]) && (asRoot.length === 0 || succeeds("sudo", ["-n", "true"]))) {
    const apt = (...args) => {
      // sudo drops the environment: the variable is set behind it.
      const [command, ...rest] = [...asRoot, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
      return run(command, rest, { spawn: { stdio: ["ignore", "ignore", "inherit"] } });
    };
    const packages = programs.map((program) => program.apt);
    console.log(`Installing ${packages.join(", ")} with apt-get …`);
    await apt("update");
    await apt("install", "-y", "--no-install-recommends", ...packages);
  } else if (which(["brew"])) {
    for (const { brew } of programs) {
      console.log(`Installing ${brew.at(-1)} with brew …`);
      await run("brew", ["install", ...brew]);
    }
  }
}

const adviceOn = ({ name, apt, brew, variable }) =>
  `${name} is missing, and the tests drive the real one. Install it, for instance with\n` +
  `  apt-get install ${apt}    or    brew install ${brew.join(" ")}\n` +
  `or set ${variable} to its path.`;

/** Paths of the programs, as environment variables for the tests. Installs what is missing where it can. */
export async function prepareServices() {
  const missing = PROGRAMS.filter((program) => find(program) === undefined);
  if (missing.length > 0) await install(missing);
  const found = PROGRAMS.map((program) => ({ program, path: find(program) }));
  const absent = found.filter(({ path }) => path === undefined);
  if (absent.length > 0) fail(absent.map(({ program }) => adviceOn(program)).join("\n\n"));
  return Object.fromEntries(found.map(({ program, path }) => [program.variable, path]));
}
