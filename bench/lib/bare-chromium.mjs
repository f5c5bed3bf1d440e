/**
 * Chromium driven by the few commands that a benchmark needs. A tool for tests watches the network too, and then the
 * page's main thread decodes each response once more: that would be measured along.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fail, which } from "../../scripts/lib/run.mjs";

/** Starts it. Commands and events are those of the DevTools protocol; without a session they are the browser's. */
export async function startBareChromium() {
  const path = process.env.CHROMIUM_PATH ?? which(["chromium", "chromium-browser", "google-chrome"]);
  if (path === undefined) fail("Chromium is missing. Install it, or set CHROMIUM_PATH.");
  const profile = mkdtempSync(join(tmpdir(), "rejoin-bench-"));
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-startup-window"];
  const child = spawn(path, [...args, "--remote-debugging-port=0", `--user-data-dir=${profile}`], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  const socket = new WebSocket(await addressOf(child.stderr));
  await once(socket, "open");

  const answers = new Map();
  const listeners = new Set();
  let count = 0;
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    if (message.id === undefined) {
      for (const listener of listeners) listener(message);
      return;
    }
    const { resolve, reject } = answers.get(message.id);
    answers.delete(message.id);
    if (message.error === undefined) resolve(message.result);
    else reject(new Error(message.error.message));
  });

  return {
    send(method, params = {}, sessionId = undefined) {
      count += 1;
      const answer = Promise.withResolvers();
      answers.set(count, answer);
      socket.send(JSON.stringify({ id: count, method, params, sessionId }));
      return answer.promise;
    },
    /** Calls `listener` with each event's `{ method, params }`; returns what ends that. */
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      socket.close();
      child.kill();
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

async function addressOf(output) {
  for await (const line of createInterface({ input: output })) {
    const address = /^DevTools listening on (\S+)$/.exec(line)?.[1];
    if (address === undefined) continue;
    output.resume();
    return address;
  }
  return fail("Chromium did not start.");
}
