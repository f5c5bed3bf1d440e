/** Where the tests' programs come from, on machines that have this and lack that. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const services = new URL("../../scripts/lib/services.mjs", import.meta.url).href;
const root = fileURLToPath(new URL("../..", import.meta.url));

/** The only folder of commands that the machine has. */
let commands: string;

beforeEach(() => {
  commands = mkdtempSync(join(tmpdir(), "rejoin-commands-"));
  for (const name of ["env", "chmod"]) linkSystemCommand(name);
  // Asked for where the tests do not run as root.
  addCommand("sudo", 'shift; exec "$@"');
});
afterEach(() => rmSync(commands, { recursive: true, force: true }));

function linkSystemCommand(name: string): void {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const path = folders.map((folder) => join(folder, name)).find(existsSync);
  if (path === undefined) throw new Error(`This machine has no ${name}.`);
  symlinkSync(path, join(commands, name));
}

function addCommand(name: string, script: string): void {
  const path = join(commands, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** A package manager that writes down what it is asked, and whose packages hold a command each. */
function addPackageManager(name: string, commandOf: Readonly<Record<string, string>>): void {
  const installations = Object.entries(commandOf).map(([pack, command]) => {
    const path = join(commands, command);
    return `case " $* " in *" ${pack} "*) printf '#!/bin/sh\\n' > "${path}"; chmod +x "${path}";; esac`;
  });
  addCommand(name, [`echo "$*" >> "${join(commands, "asked")}"`, ...installations].join("\n"));
}

function prepare(env: Readonly<Record<string, string>> = {}): {
  readonly code: number | null;
  readonly found: unknown;
  readonly errors: string;
  readonly asked: readonly string[];
} {
  const script = `
    const { PROGRAMS, prepareServices } = await import(${JSON.stringify(services)});
    // An app that this machine has installed is none of the commands above.
    for (const program of PROGRAMS) program.files = [];
    const found = await prepareServices();
    console.log("\\n" + JSON.stringify(found));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: root,
    encoding: "utf8",
    env: { PATH: commands, ...env },
  });
  const asked = join(commands, "asked");
  return {
    code: status,
    found: status === 0 ? JSON.parse(stdout.trim().split("\n").at(-1) ?? "") : undefined,
    errors: stderr,
    asked: existsSync(asked) ? readFileSync(asked, "utf8").trim().split("\n") : [],
  };
}

describe("the programs that the tests drive", () => {
  it("are taken from where they are", () => {
    addCommand("google-chrome", "exit 0");
    addCommand("redis-server", "exit 0");
    expect(prepare().found).toEqual({
      CHROMIUM_PATH: join(commands, "google-chrome"),
      REDIS_SERVER_PATH: join(commands, "redis-server"),
    });
  });

  it("are those that the environment names", () => {
    addCommand("redis-server", "exit 0");
    addCommand("my-chromium", "exit 0");
    const mine = join(commands, "my-chromium");
    expect(prepare({ CHROMIUM_PATH: mine }).found).toMatchObject({ CHROMIUM_PATH: mine });
  });

  it("must run where the environment names them", () => {
    addCommand("redis-server", "exit 0");
    expect(prepare({ CHROMIUM_PATH: "/nowhere/chromium" })).toMatchObject({
      code: 1,
      errors: expect.stringContaining("CHROMIUM_PATH is /nowhere/chromium, which does not run."),
    });
  });

  it("are installed with apt-get, those that are missing", () => {
    addCommand("redis-server", "exit 0");
    addPackageManager("apt-get", { chromium: "chromium" });
    expect(prepare()).toMatchObject({
      code: 0,
      found: { CHROMIUM_PATH: join(commands, "chromium") },
      asked: ["update", "install -y --no-install-recommends chromium"],
    });
  });

  it("are installed together where both are missing", () => {
    addPackageManager("apt-get", { chromium: "chromium", "redis-server": "redis-server" });
    expect(prepare().asked).toEqual(["update", "install -y --no-install-recommends chromium redis-server"]);
  });

  it("are not a command that only says how to install them", () => {
    addCommand("chromium-browser", "echo 'requires the snap'; exit 1");
    addCommand("redis-server", "exit 0");
    addPackageManager("apt-get", { chromium: "chromium" });
    expect(prepare().found).toMatchObject({ CHROMIUM_PATH: join(commands, "chromium") });
  });

  it("are installed with brew where there is no apt-get", () => {
    addCommand("chromium", "exit 0");
    addPackageManager("brew", { redis: "redis-server" });
    expect(prepare()).toMatchObject({ code: 0, asked: ["install redis"] });
  });

  it("fail the run where nothing can install them, and it says what to do for each", () => {
    const { code, errors } = prepare();
    expect(code).toBe(1);
    expect(errors).toContain("apt-get install chromium    or    brew install --cask chromium");
    expect(errors).toContain("or set CHROMIUM_PATH to its path.");
    expect(errors).toContain("apt-get install redis-server    or    brew install redis");
    expect(errors).toContain("or set REDIS_SERVER_PATH to its path.");
  });
});
