/** Runs the measurements, all or those named, on a Redis of their own; all together they write `docs/performance.md`. */
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { createClient } from "redis";
import { startRedis } from "../test/support/redis-server.ts";
import { renderSection, type Section } from "./lib/report.ts";

/** The measurements in their order, with the file of each. */
const MEASUREMENTS: Readonly<Record<string, string>> = {
  "round-trips": "round-trips.ts",
  throughput: "throughput.ts",
  "read-back": "read-back.ts",
  "many-streams": "many-streams.ts",
  "fan-out": "fan-out.ts",
  stop: "stop.ts",
  "producer-lost": "producer-lost.ts",
  "longest-task": "longest-task.mjs",
  idle: "idle.ts",
  delivery: "delivery.ts",
};

const names = process.argv.slice(2);
for (const name of names)
  if (!Object.hasOwn(MEASUREMENTS, name)) {
    console.error(`There is no measurement "${name}". There are: ${Object.keys(MEASUREMENTS).join(", ")}.`);
    process.exit(1);
  }

const sections: string[] = [];
let redis = "";
for (const [name, file] of Object.entries(MEASUREMENTS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.error(`measuring ${name} …`);
  // One each, so that none inherits another's load.
  const server = await startRedis();
  const admin = await createClient({ url: server.url }).connect();
  redis = /redis_version:(\S+)/.exec(await admin.info("server"))?.[1] ?? "?";
  admin.destroy();
  try {
    const section = renderSection(await measure(file, server.url));
    sections.push(section);
    console.log(section);
  } catch (error) {
    console.error(`${name} could not be measured:`, error);
    process.exitCode = 1;
    break;
  } finally {
    await server.stop();
  }
}

if (names.length === 0 && process.exitCode === undefined) {
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? "?"}), Node ${process.versions.node}, Redis ${redis} on loopback`;
  const intro = [
    "# Performance",
    "",
    "Written by `npm run bench`. Compare the ratios, which come from one run each; the figures are those of one machine:",
    `${machine}.`,
    "",
  ];
  writeFileSync(new URL("../docs/performance.md", import.meta.url), [...intro, ...sections].join("\n"));
}

function measure(file: string, url: string): Promise<Section> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL("measure.ts", import.meta.url), [file, url]);
    child.once("message", (section: Section) => resolve(section));
    child.once("exit", (code) => reject(new Error(`The process ended with ${code}.`)));
  });
}
