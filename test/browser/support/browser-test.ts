/** Tests in real Chromium against the page that `npm start` serves: a server and a browser a file, a visitor a test. */
import { chromium } from "playwright";
import { test } from "vitest";
import { chromiumArgs, chromiumPath } from "../../support/chromium.ts";
import { startScriptedModel } from "../../support/scripted-model.ts";
import { newVisitor } from "./chat-page.ts";
import { startDemo } from "./demo-server.ts";
import { startOwnChromium } from "./own-chromium.ts";
import { recordWire } from "./recorded-wire.ts";

export const it = test
  // A model that writes what the test says when it says so: nothing depends on how fast anything is.
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern what a fixture needs
  .extend("model", { scope: "file" }, async ({}, { onCleanup }) => {
    const model = await startScriptedModel();
    onCleanup(() => model.close());
    return model;
  })
  .extend("server", { scope: "file" }, async ({ model }, { onCleanup }) => {
    const server = await startDemo({ OPENAI_BASE_URL: model.url, MODEL: "scripted-1" });
    onCleanup(() => server.close());
    return server;
  })
  // The demo as it is with nothing set: the built-in model, in a hurry.
  // oxlint-disable-next-line no-empty-pattern -- as above
  .extend("builtIn", { scope: "file" }, async ({}, { onCleanup }) => {
    const server = await startDemo({ DEMO_TOKENS_PER_SECOND: "400" });
    onCleanup(() => server.close());
    return server;
  })
  // oxlint-disable-next-line no-empty-pattern -- as above
  .extend("browser", { scope: "file" }, async ({}, { onCleanup }) => {
    const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs] });
    onCleanup(() => browser.close());
    return browser;
  })
  // Somebody who was never here, in a browser as people have it: with tabs that hide and a back-forward cache.
  // oxlint-disable-next-line no-empty-pattern -- as above
  .extend("person", async ({}, { onCleanup }) => {
    const chromium = await startOwnChromium();
    onCleanup(() => chromium.close());
    await recordWire(chromium.visitor);
    return chromium.visitor;
  })
  // Somebody who was never here.
  .extend("visitor", async ({ browser, server }, { onCleanup }) => {
    const visitor = await newVisitor(browser, server.url);
    onCleanup(() => visitor.close());
    await recordWire(visitor);
    return visitor;
  });
