/** `npm start`, on what is built already. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { root } from "../support/packed-package.ts";

function npmStart(port: number) {
  const child = spawn("npm", ["start"], {
    cwd: root,
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGTERM"));
  return child;
}

it("npm start prints the address when it answers, and ends with its server when it is asked to", async () => {
  const child = npmStart(0);
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^rejoin demo: (\S+)$/.exec(line)?.[1];
    if (url !== undefined) break;
  }
  const page = await fetch(url ?? "");
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("<!doctype html>");

  child.kill("SIGTERM");
  // When nobody holds its output any more, the last of its processes is gone.
  await once(child, "close");
  await expect(fetch(url ?? "")).rejects.toThrow("fetch failed");
});

it("npm start says so where the port is taken", async () => {
  const other = createServer().listen(0);
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  const child = npmStart(port);
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(errors).toContain(`Port ${port} is taken.`);
});
