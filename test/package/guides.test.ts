/** The guides' code, pasted: it type-checks against the package, and the stores of checkpoints keep the contract. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createStreamSession, type CheckpointStore } from "../../src/core.ts";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  createResumableStreamHandler,
} from "../../src/server/index.ts";
import {
  assistantStream,
  type AssistantStreamChunk,
} from "../../src/shared/protocols/assistant-stream/index.ts";
import { chromiumArgs, chromiumPath } from "../support/chromium.ts";
import { serveFetch } from "../support/http-server.ts";
import { packPackage, root, typeCheck, type PackedPackage } from "../support/packed-package.ts";
import { scriptedSource } from "../support/scripted-source.ts";

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

/** Reads an answer up to what is written of it; runs where the store does. */
async function readAnswer(
  createSession: typeof createStreamSession,
  protocol: typeof assistantStream,
  checkpoints: CheckpointStore,
  endpoint: string,
): Promise<string> {
  const session = createSession({ id: "s", endpoint, protocol, checkpoints });
  await new Promise<void>((resolve) => {
    session.subscribe(() => {
      if (JSON.stringify(session.getState().message?.parts)?.includes("Hello")) resolve();
    });
  });
  session.dispose();
  // It does what it is asked in order, so by now all is kept.
  await checkpoints.get("");
  return session.getState().cursor;
}

/** A server with an answer that is being written. It is reached once; then the network holds everything. */
async function serveAnswer(): Promise<string> {
  const context = createResumableStreamContext({ store: createInMemoryResumableStreamStore() });
  const source = scriptedSource<AssistantStreamChunk>();
  source.write({ type: "part-start", path: [], part: { type: "text" } });
  source.write({ type: "text-delta", path: [0], textDelta: "Hello" });
  await context.run("s", source.make, { protocol: assistantStream, owner: null });
  const handler = createResumableStreamHandler({ context, authorize: () => true, basePath: "/api/streams" });
  let requests = 0;
  const server = await serveFetch((request) => {
    if (!request.url.includes("/api/")) return blankPage();
    requests += 1;
    return requests === 1 ? handler(request) : new Promise(() => {});
  });
  onTestFinished(async () => {
    await server.close();
    await context.close();
  });
  return server.url;
}

const blankPage = (): Response =>
  new Response("<!doctype html>", { headers: { "content-type": "text/html" } });

/** Opens a page with nothing on it. */
async function openPage(url: string): Promise<Page> {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(url);
  return page;
}

/** Runs a module of the app's in a page. */
async function runIn(page: Page, code: string): Promise<void> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: packed.appFolder, loader: "ts" },
    bundle: true,
    format: "iife",
    write: false,
  });
  await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
}

const importOf = (name: string): string => `import { ${name} } from "./${fileOf(name)}";`;

/** A store in AsyncStorage, in which there is something else already. */
async function asyncStorage(): Promise<{ values: Map<string, string>; checkpoints: CheckpointStore }> {
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
  return { values, checkpoints: asyncStorageCheckpoints(storage) };
}

describe("a store of the guide on checkpoints", () => {
  it.for([
    ["localStorageCheckpoints", "localStorageCheckpoints"],
    ["indexedDbCheckpoints", "indexedDbCheckpoints()"],
  ] as const)("%s keeps the contract in a browser", async ([name, store]) => {
    const server = await serveFetch(blankPage);
    onTestFinished(() => server.close());
    const page = await openPage(server.url);
    await runIn(page, `${importOf(name)} window.told = (${useStore})(${store});`);
    expect(await page.evaluate("window.told")).toEqual(KEPT);
  });

  it("indexedDbCheckpoints opens its database again where that failed, or the browser closed it", async () => {
    const server = await serveFetch(blankPage);
    onTestFinished(() => server.close());
    const page = await openPage(server.url);
    await runIn(
      page,
      `${importOf("indexedDbCheckpoints")}
      const store = indexedDbCheckpoints();
      window.use = () => (${useStore})(store).catch((error) => error.message);
      const open = IDBFactory.prototype.open;
      IDBFactory.prototype.open = () => {
        IDBFactory.prototype.open = open;
        throw new Error("not now");
      };`,
    );
    expect(await page.evaluate("window.use()")).toBe("not now");
    expect(await page.evaluate("window.use()")).toEqual(KEPT);
    const browser = await page.context().newCDPSession(page);
    await browser.send("Storage.clearDataForOrigin", { origin: server.url, storageTypes: "indexeddb" });
    expect(await page.evaluate("window.use()")).toEqual(KEPT);
  });

  it("indexedDbCheckpoints gives a page that is reloaded its answer, while the network holds", async () => {
    const page = await openPage(await serveAnswer());
    const code = `
      import { createStreamSession } from "rejoin/core";
      import { assistantStream } from "rejoin/protocols/assistant-stream";
      ${importOf("indexedDbCheckpoints")}
      window.told = (${readAnswer})(createStreamSession, assistantStream, indexedDbCheckpoints(), "/api/streams");
    `;
    await runIn(page, code);
    const cursor = await page.evaluate("window.told");
    await page.reload();
    await runIn(page, code);
    expect(await page.evaluate("window.told")).toBe(cursor);
  });

  it("asyncStorageCheckpoints keeps the contract, and leaves what is not its own", async () => {
    const { values, checkpoints } = await asyncStorage();
    expect(await useStore(checkpoints)).toEqual(KEPT);
    expect([...values]).toEqual([["theme", "dark"]]);
  });

  it("asyncStorageCheckpoints gives an app that is opened again its answer, while the network holds", async () => {
    const endpoint = `${await serveAnswer()}/api/streams`;
    const { checkpoints } = await asyncStorage();
    const read = (): Promise<string> =>
      readAnswer(createStreamSession, assistantStream, checkpoints, endpoint);
    const cursor = await read();
    expect(await read()).toBe(cursor);
  });
});
