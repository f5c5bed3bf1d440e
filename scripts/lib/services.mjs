/** Programs that the tests drive. They come from the system's package manager; nothing is downloaded by other means. */
import { fail, run, succeeds, which } from "./run.mjs";

const PROGRAMS = [
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

function find(program) {
  const given = process.env[program.variable];
  if (given) {
    if (succeeds(given, ["--version"])) return given;
    fail(`${program.variable} is ${given}, which does not run.`);
  }
  return which(...program.commands) ?? program.files.find((file) => succeeds(file, ["--version"]));
}

async function install(programs) {
  const asRoot = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (which("apt-get") && (asRoot.length === 0 || succeeds("sudo", ["-n", "true"]))) {
    const apt = (...args) => {
      const [command, ...rest] = [...asRoot, "apt-get", ...args];
      return run(command, rest, {
        env: { DEBIAN_FRONTEND: "noninteractive" },
        spawn: { stdio: ["ignore", "ignore", "inherit"] },
      });
    };
    console.log(`Installing ${programs.map(({ apt }) => apt).join(", ")} with apt-get …`);
    await apt("update");
    await apt("install", "-y", "--no-install-recommends", ...programs.map((program) => program.apt));
    return;
  }
  if (which("brew")) {
    for (const { brew } of programs) {
      console.log(`Installing ${brew.at(-1)} with brew …`);
      await run("brew", ["install", ...brew]);
    }
  }
}

/** Paths of the programs, as environment variables for the tests. Installs what is missing where it can. */
export async function prepareServices() {
  const missing = PROGRAMS.filter((program) => find(program) === undefined);
  if (missing.length > 0) await install(missing);
  const env = {};
  for (const program of PROGRAMS) {
    const path = find(program);
    if (path === undefined) {
      fail(
        `${program.name} is missing, and the tests drive the real one. Install it, for instance with\n` +
          `  apt-get install ${program.apt}    or    brew install ${program.brew.join(" ")}\n` +
          `or set ${program.variable} to its path.`,
      );
    }
    env[program.variable] = path;
  }
  return env;
}
