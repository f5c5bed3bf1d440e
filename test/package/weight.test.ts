/** What an app's users download, and what CONTRIBUTING says of it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packPackage, root, type PackedPackage } from "../support/packed-package.ts";

/**
 * The most that the hook, the session and the default protocol may weigh in KB, gzip, with React and TanStack Query
 * external.
 */
const CLIENT_BUDGET_KB = 12;

let packed: PackedPackage;
beforeAll(() => {
  packed = packPackage();
});
afterAll(() => packed.remove());

/** Kilobytes, gzip, of a module as Vite leaves it, which most apps are built with. */
async function weightOf(code: string): Promise<number> {
  const input = join(packed.appFolder, "entry.js");
  writeFileSync(input, code);
  const built = await build({
    configFile: false,
    root: packed.appFolder,
    logLevel: "error",
    build: {
      write: false,
      rolldownOptions: {
        input,
        external: ["react", "react/jsx-runtime", "@tanstack/react-query"],
        preserveEntrySignatures: "strict",
      },
    },
  });
  const { output } = "output" in built ? built : { output: [] };
  const texts = output.map((file) => (file.type === "chunk" ? file.code : ""));
  expect(texts).toHaveLength(1);
  return gzipSync(texts.join(""), { level: 9 }).byteLength / 1024;
}

describe("the client", () => {
  it(`weighs at most ${CLIENT_BUDGET_KB} KB with hook, session and default protocol`, async () => {
    const weight = await weightOf('export { ResumableStreamProvider, useResumableStream } from "rejoin";');
    console.log(`client with hook, session and default protocol: ${weight.toFixed(1)} KB gzip`);
    expect(weight).toBeLessThanOrEqual(CLIENT_BUDGET_KB);
  });
});

describe("CONTRIBUTING", () => {
  it.for([
    ["eventsource-parser", 'export { createParser } from "eventsource-parser";'],
    ["zustand", 'export { createStore } from "zustand/vanilla";'],
  ] as const)("says what %s weighs", async ([name, code]) => {
    const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
    const stated = new RegExp(`^- \`${name}\`[\\s\\S]*?(\\d+\\.\\d) KB`, "m").exec(text)?.[1];
    expect(stated).toBe((await weightOf(code)).toFixed(1));
  });
});
