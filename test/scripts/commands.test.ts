import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function runScript(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [`scripts/${script}.mjs`, ...args], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
}

describe("npm test", () => {
  it("names the phases where it is asked for one that is not there, and counts it as failed", () => {
    const { status, stdout, stderr } = runScript("test", ["units"]);
    expect(status).toBe(1);
    expect(stderr).toContain('There is no phase "units". Phases: format, lint, build, types, unit,');
    expect(stdout.trim().split("\n").at(-1)).toBe("0 passed, 1 failed, 0 skipped");
  });
});

describe("npm start", () => {
  it.for(["http", "-1", "65536", "3000 "])("refuses PORT=%j before it does anything", (port) => {
    const { status, stderr } = runScript("start", [], { PORT: port });
    expect(status).toBe(1);
    expect(stderr).toContain(`PORT must be a number from 0 to 65535, got "${port}".`);
  });
});
