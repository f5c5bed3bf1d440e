/** The package as its users get it: packed, and imported by name. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readImportGraph, reachableFrom, sourceFiles } from "../support/import-graph.ts";
import { packageEntries, packPackage, root, type PackedPackage } from "../support/packed-package.ts";

const entries = packageEntries();
const sourceOf = (file: string): RegExp =>
  new RegExp(`^${file.replace(/^\.\/dist\//, "").replace(/\.js$/, "")}\\.tsx?$`);

let packed: PackedPackage;
beforeAll(() => {
  packed = packPackage();
});
afterAll(() => packed.remove());

describe("the package", () => {
  it("has a file for every export", () => {
    const missing = entries
      .flatMap(({ types, file }) => [types, file])
      .filter((path) => !existsSync(join(packed.packageFolder, path)));
    expect(missing).toEqual([]);
  });

  it("exports every source, by an entry point or through one", () => {
    const source = join(root, "src");
    const files = sourceFiles(source);
    const roots = entries.flatMap(({ file }) => files.filter((path) => sourceOf(file).test(path)));
    expect(roots).toHaveLength(entries.length);
    const reached = reachableFrom(roots, readImportGraph(source));
    expect(files.filter((file) => !reached.has(file))).toEqual([]);
  });

  it("holds nothing that was not built from a source", () => {
    const files = sourceFiles(join(root, "src"));
    const built = packed.files.filter((path) => path.startsWith("dist/") && path.endsWith(".js"));
    expect(built.filter((path) => !files.some((file) => sourceOf(`./${path}`).test(file)))).toEqual([]);
    expect(built).toHaveLength(files.length);
  });

  // The contract suite is for test files: vitest refuses to be imported anywhere else. It is run below.
  it.for(entries.filter(({ name }) => !name.startsWith("rejoin/testing/")))(
    "is imported as $name by plain Node",
    ({ name }) => {
      const script = `console.log(Object.keys(await import(${JSON.stringify(name)})).length)`;
      const count = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
        cwd: packed.appFolder,
        encoding: "utf8",
      });
      expect(Number(count)).toBeGreaterThan(0);
    },
  );

  it("has a contract suite that holds an app's own store to its word", () => {
    const test = (makeStore: string): string => `
      import { createInMemoryResumableStreamStore } from "rejoin/server";
      import { describeStoreContract } from "rejoin/testing/store-contract";
      import { vi } from "vitest";
      describeStoreContract("a store", async () => {
        vi.useFakeTimers();
        return {
          store: (${makeStore})(createInMemoryResumableStreamStore()),
          pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
          dispose: async () => void vi.useRealTimers(),
        };
      });
    `;
    writeFileSync(join(packed.appFolder, "good.test.js"), test("(store) => store"));
    writeFileSync(
      join(packed.appFolder, "bad.test.js"),
      test('(store) => ({ ...store, status: async () => "streaming" })'),
    );
    const report = (name: string): { success: boolean; numPassedTests: number; numFailedTests: number } => {
      const file = join(packed.appFolder, `${name}.json`);
      const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
      const options = ["--root", packed.appFolder, "--reporter=json", `--outputFile=${file}`];
      spawnSync(process.execPath, [vitest, "run", ...options, `${name}.test.js`], { cwd: packed.appFolder });
      return JSON.parse(readFileSync(file, "utf8"));
    };
    const good = report("good");
    expect([good.success, good.numFailedTests]).toEqual([true, 0]);
    expect(good.numPassedTests).toBeGreaterThan(200);
    const bad = report("bad");
    expect(bad.success).toBe(false);
    expect(bad.numFailedTests).toBeGreaterThan(0);
    expect(bad.numPassedTests).toBeGreaterThan(bad.numFailedTests);
  });

  it("gives publint nothing to say", async () => {
    const { messages } = await publint({ pkgDir: packed.packageFolder, strict: true });
    expect(messages).toEqual([]);
  });

  it("has types that resolve for every kind of user", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(packed.tarball));
    if (analysis.types === false) throw new Error("The package has no types.");
    // It is ESM: CommonJS under the old resolution modes is not among its users.
    const problems = analysis.problems.filter(
      (problem) =>
        !("resolutionKind" in problem && ["node10", "node16-cjs"].includes(problem.resolutionKind)) &&
        problem.kind !== "CJSResolvesToESM",
    );
    expect(problems).toEqual([]);
  });

  it("ships what is built, its sources and its papers, and nothing else", () => {
    const top = new Set(packed.files.map((path) => path.split("/")[0]));
    expect([...top].toSorted()).toEqual(["LICENSE", "README.md", "dist", "docs", "package.json", "src"]);
  });

  it("names no path of the machine that built it", () => {
    const home = root.replace(/\/$/, "");
    const grep = (): string =>
      execFileSync("grep", ["-rlF", home, packed.packageFolder], { encoding: "utf8", stdio: "pipe" });
    expect(grep).toThrow("Command failed");
  });
});
