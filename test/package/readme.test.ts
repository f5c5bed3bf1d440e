/** The README's code, pasted: it type-checks against the package, and what it shows happens in a real browser. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium, type Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { chromiumArgs, chromiumPath } from "../support/chromium.ts";
import { packPackage, root, typeCheck, type PackedPackage } from "../support/packed-package.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const blockOf = (language: string): string =>
  new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1] ?? "";

let packed: PackedPackage;
const inApp = (file: string): string => join(packed.appFolder, file);

beforeAll(() => {
  packed = packPackage();
  writeFileSync(inApp("server.ts"), blockOf("ts"));
  writeFileSync(inApp("client.tsx"), blockOf("tsx"));
});
afterAll(() => packed.remove());

describe("the README's code", () => {
  it("type-checks, strictly, against the package", () => {
    expect(typeCheck(packed, "server.ts", "client.tsx")).toBe("");
  });

  it("streams an answer, and shows all of it after a reload in its middle", async () => {
    const api = await startServer();
    onTestFinished(() => end(api.child));
    const page = await servePage(api.port);
    onTestFinished(() => void page.server.close());
    const browser: Browser = await chromium.launch({
      executablePath: chromiumPath(),
      args: [...chromiumArgs],
    });
    onTestFinished(() => browser.close());

    const tab = await browser.newPage();
    await tab.goto(page.url);
    await tab.getByRole("button", { name: "Ask" }).click();
    await tab.getByText("Reload while I think").waitFor();
    await tab.reload();

    await tab.locator('main[data-status="done"]').waitFor();
    expect(await tab.locator("p").allTextContents()).toEqual([
      'Reload while I think about "resuming", again and again. Done.',
    ]);
  });
});

/** Runs the server's block on a free port. */
async function startServer(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  // The block says nothing when it listens, so the server itself does, from within.
  const announce = inApp("announce.mjs");
  writeFileSync(
    announce,
    `import { Server } from "node:net";
const { listen } = Server.prototype;
Server.prototype.listen = function (...args) {
  return listen.apply(this.once("listening", () => console.log(this.address().port)), args);
};`,
  );
  const child = spawn(process.execPath, ["--import", announce, "server.ts"], {
    cwd: packed.appFolder,
    env: { ...process.env, PORT: "0", NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return { child, port: Number(line) };
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Serves the client's block as a page, with the API behind the same origin, as a development server would. */
async function servePage(apiPort: number): Promise<{ readonly server: Server; readonly url: string }> {
  const { outputFiles } = await build({
    stdin: {
      contents:
        'import { createRoot } from "react-dom/client"; import { App } from "./client.tsx"; createRoot(document.body).render(<App />);',
      loader: "tsx",
      resolveDir: packed.appFolder,
    },
    bundle: true,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
  });
  const script = outputFiles[0]?.text ?? "";
  const server = createServer((incoming, outgoing) => {
    if (incoming.url?.startsWith("/api/")) {
      const { url, method, headers } = incoming;
      const upstream = request({ port: apiPort, path: url, method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      upstream.on("error", () => outgoing.destroy());
      outgoing.on("close", () => upstream.destroy());
      incoming.pipe(upstream);
    } else if (incoming.url === "/app.js") {
      outgoing.writeHead(200, { "content-type": "text/javascript" }).end(script);
    } else {
      outgoing
        .writeHead(200, { "content-type": "text/html" })
        .end('<!doctype html><title>README</title><body><script type="module" src="/app.js"></script>');
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}` };
}
