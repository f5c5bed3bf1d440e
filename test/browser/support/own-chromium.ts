/**
 * Chromium as people have it: tabs behind others are hidden and throttled, a page that was left is kept in the
 * back-forward cache. The browser that Playwright launches has all of that switched off.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type BrowserContext } from "playwright";
import { chromiumArgs, chromiumPath } from "../../support/chromium.ts";
import { PATIENCE_MS } from "./chat-page.ts";

/** A browser with one visitor. */
export interface OwnChromium {
  readonly visitor: BrowserContext;
  close(): Promise<void>;
}

/** What the person has set. */
export interface OwnChromiumOptions {
  /** No site may keep anything: no cookies, and `sessionStorage` throws when it is looked at. */
  readonly blocksSiteData?: boolean;
}

/** Starts it with a profile that was never used. */
export async function startOwnChromium({
  blocksSiteData = false,
}: OwnChromiumOptions = {}): Promise<OwnChromium> {
  const profile = mkdtempSync(join(tmpdir(), "rejoin-chromium-"));
  if (blocksSiteData) {
    const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
    mkdirSync(join(profile, "Default"));
    writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  }
  const child = spawn(
    chromiumPath(),
    // A window that is just opening when it is connected to can make that wait for ever.
    [
      ...chromiumArgs,
      "--headless",
      "--no-startup-window",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const exited = once(child, "exit");
  const end = async (): Promise<void> => {
    child.kill();
    await exited;
    // Its children may still be writing there.
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    const browser = await chromium.connectOverCDP(await addressOf(child.stderr), { noDefaults: true });
    const [visitor] = browser.contexts();
    if (visitor === undefined) throw new Error("Chromium has no profile.");
    visitor.setDefaultTimeout(PATIENCE_MS);
    return {
      visitor,
      async close() {
        await browser.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Where it can be driven: it says so when it is ready. */
async function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const address = /^DevTools listening on (\S+)$/.exec(line)?.[1];
    if (address === undefined) continue;
    output.resume();
    return address;
  }
  throw new Error("Chromium did not start.");
}
