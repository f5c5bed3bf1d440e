/** The package as its users get it: packed, and imported by name. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const exported: Record<string, { types: string; default: string } | string> = manifest.exports;
const entries = Object.entries(exported).filter(
  (entry): entry is [string, { types: string; default: string }] => typeof entry[1] === "object",
);

let folder: string;
let tarball: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rejoin-package-"));
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
  });
  tarball = join(folder, packed.trim().split("\n").at(-1) ?? "");
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "rejoin"), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", join(modules, "rejoin"), "--strip-components=1"]);
  // What an app has installed beside it.
  for (const name of [
    "react",
    "react-dom",
    "scheduler",
    "zustand",
    "@tanstack",
    "eventsource-parser",
    "redis",
    "@redis",
    "ioredis",
    "vitest",
    "msw",
    "hono",
    "@hono",
    "@types",
  ]) {
    const target = join(root, "node_modules", name);
    if (existsSync(target)) symlinkSync(target, join(modules, name));
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  it("has a file for every export, and every entry point is exported", () => {
    for (const [, { types, default: file }] of entries) {
      expect(existsSync(join(folder, "node_modules/rejoin", types)), types).toBe(true);
      expect(existsSync(join(folder, "node_modules/rejoin", file)), file).toBe(true);
    }
    const files = entries.map(([, { default: file }]) => file);
    const expected = ["index", "core", "server/index"].map((name) => `./dist/${name}.js`);
    const protocols = readdirSync(join(root, "src/shared/protocols"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `./dist/shared/protocols/${entry.name}/index.js`);
    expect(files).toEqual(expect.arrayContaining([...expected, ...protocols]));
  });

  it("is imported by name, every entry of it", () => {
    for (const [path] of entries.filter(([name]) => !name.startsWith("./testing"))) {
      const name = path.replace(/^\./, "rejoin");
      const script = `const m = await import(${JSON.stringify(name)}); if (Object.keys(m).length === 0) throw new Error("nothing exported")`;
      execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: folder, stdio: "pipe" });
    }
  });

  it("has nothing for publint to say", async () => {
    const { messages } = await publint({ pkgDir: root, strict: true });
    expect(messages).toEqual([]);
  });

  it("has types that resolve for every kind of user", async () => {
    const analysis = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    if (analysis.types === false) throw new Error("no types");
    // An ESM package: CommonJS users of old resolution modes are not among its users.
    const problems = analysis.problems.filter(
      (problem) =>
        !("resolutionKind" in problem && ["node10", "node16-cjs"].includes(problem.resolutionKind)) &&
        problem.kind !== "CJSResolvesToESM",
    );
    expect(problems).toEqual([]);
  });

  it("ships no test, no map of ours and no secret", () => {
    const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).split("\n");
    expect(
      files.filter((file) =>
        /^(test|demo|bench|storybook|\.env)\b(?!ing)/.test(file.replace("package/", "")),
      ),
    ).toEqual([]);
    expect(files).toContain("package/LICENSE");
    expect(files).toContain("package/README.md");
  });

  it("keeps the client small", async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: 'export { ResumableStreamProvider, useResumableStream } from "rejoin";',
        resolveDir: folder,
      },
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      write: false,
      external: ["react", "react/jsx-runtime", "@tanstack/react-query"],
    });
    const bytes = gzipSync(outputFiles[0]?.contents ?? "").byteLength;
    console.log(`client with hook, session and default protocol: ${(bytes / 1024).toFixed(1)} KB gzip`);
    expect(bytes).toBeLessThan(16 * 1024);
  });
});

describe("the README's code", () => {
  it("works when it is pasted: it type-checks against the package", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const blocks = [...readme.matchAll(/```(tsx?)\n([\s\S]*?)```/g)];
    expect(blocks.length).toBeGreaterThanOrEqual(2);
    const files = blocks.map(([, language, code = ""], index) => {
      const file = join(folder, `readme-${index}.${language}`);
      writeFileSync(file, code);
      return file;
    });
    const options = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2023",
      "--jsx",
      "react-jsx",
      "--lib",
      "es2024,dom,dom.iterable",
      "--skipLibCheck",
      "--types",
      "react",
    ];
    const tsc = join(root, "node_modules/.bin/tsc");
    try {
      execFileSync(tsc, [...options, ...files], { cwd: folder, encoding: "utf8", stdio: "pipe" });
    } catch (error) {
      throw new Error(String(error instanceof Error && "stdout" in error ? error.stdout : error), {
        cause: error,
      });
    }
  });
});
