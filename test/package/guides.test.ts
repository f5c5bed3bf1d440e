/** The guides' code, pasted: it type-checks against the package, and the stores of checkpoints keep the contract. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { CheckpointStore } from "../../src/core.ts";
import { chromiumArgs, chromiumPath } from "../support/chromium.ts";
import { serveFetch } from "../support/http-server.ts";
import { packPackage, root, typeCheck, type PackedPackage } from "../support/packed-package.ts";

const folder = join(root, "docs/guides");
const guides = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));

/** The code blocks of a guide, each as a file of the app. */
const files = guides.flatMap(({ name, text }) =>
  Array.from(text.matchAll(/```(tsx?)\n([\s\S]*?)```/g), ([, language = "", code = ""], index) => ({
    file: `${name.replace(/\.md$/, "")}-${index + 1}.${language}`,
    code,
  })),
);
/** The file that has an export of this name. */
const fileOf = (name: string): string =>
  files.find(({ code }) => new RegExp(`export (const|function) ${name}\\b`).test(code))?.file ?? "";

let packed: PackedPackage;
beforeAll(() => {
  packed = packPackage();
  for (const { file, code } of files) writeFileSync(join(packed.appFolder, file), code);
});
afterAll(() => packed.remove());

describe("the guides", () => {
  it("have code that type-checks, strictly, against the package", () => {
    expect(files).not.toEqual([]);
    expect(typeCheck(packed, ...files.map(({ file }) => file))).toBe("");
  });

  it("are linked from the README", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    expect(guides.filter(({ name }) => !readme.includes(`(docs/guides/${name})`))).toEqual([]);
  });
});

/** What any store of checkpoints does, told as a list; runs where the store does. */
async function useStore(store: CheckpointStore): Promise<unknown[]> {
  const told: unknown[] = [];
  const [ada, other, eve] = ["rejoin:ada:stream:1", "rejoin:ada:stream:2", "rejoin:eve:stream:1"];
  told.push(await store.get(ada));
  await store.set(ada, "one");
  await store.set(ada, "two");
  await store.set(other, "other");
  await store.set(eve, "eve's");
  told.push(await store.get(ada), await store.get(eve));
  await store.delete(other);
  told.push(await store.get(other));
  await store.retainScope("ada");
  told.push(await store.get(ada), await store.get(eve));
  await store.clear();
  told.push(await store.get(ada));
  return told;
}
const KEPT = [null, "two", "eve's", null, "two", null, null];

describe("a store of the guide on checkpoints", () => {
  it.for(["localStorageCheckpoints", "indexedDbCheckpoints()"])(
    "%s keeps the contract in a browser",
    async (store) => {
      const { outputFiles } = await build({
        stdin: {
          contents: `import { ${store.replace("()", "")} } from "./${fileOf(store.replace("()", ""))}";
window.told = (${useStore})(${store});`,
          resolveDir: packed.appFolder,
          loader: "ts",
        },
        bundle: true,
        format: "iife",
        write: false,
      });
      const server = await serveFetch(
        () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
      );
      onTestFinished(() => server.close());
      const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs] });
      onTestFinished(() => browser.close());
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
      expect(await page.evaluate("window.told")).toEqual(KEPT);
    },
  );

  it("asyncStorageCheckpoints keeps the contract, and leaves what is not its own", async () => {
    const { asyncStorageCheckpoints } = await import(
      pathToFileURL(join(packed.appFolder, fileOf("asyncStorageCheckpoints"))).href
    );
    const values = new Map([["theme", "dark"]]);
    const storage = {
      getItem: async (key: string) => values.get(key) ?? null,
      setItem: async (key: string, value: string) => void values.set(key, value),
      removeItem: async (key: string) => void values.delete(key),
      getAllKeys: async () => [...values.keys()],
    };
    expect(await useStore(asyncStorageCheckpoints(storage))).toEqual(KEPT);
    expect([...values]).toEqual([["theme", "dark"]]);
  });
});
