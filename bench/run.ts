/** Runs the measurements, all or those named, on a Redis of their own; all together they write `docs/performance.md`. */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { createClient } from "redis";
import { startRedis } from "../test/support/redis-server.ts";
import { renderSection, type Measure } from "./lib/report.ts";
import { measure as delivery } from "./measurements/delivery.ts";
import { measure as fanOut } from "./measurements/fan-out.ts";
import { measure as idle } from "./measurements/idle.ts";
import { measure as longestTask } from "./measurements/longest-task.mjs";
import { measure as manyStreams } from "./measurements/many-streams.ts";
import { measure as producerLost } from "./measurements/producer-lost.ts";
import { measure as readBack } from "./measurements/read-back.ts";
import { measure as roundTrips } from "./measurements/round-trips.ts";
import { measure as stop } from "./measurements/stop.ts";
import { measure as throughput } from "./measurements/throughput.ts";

const MEASUREMENTS: Readonly<Record<string, Measure>> = {
  "round-trips": roundTrips,
  throughput,
  "read-back": readBack,
  "many-streams": manyStreams,
  "fan-out": fanOut,
  stop,
  "producer-lost": producerLost,
  "longest-task": longestTask,
  idle,
  delivery,
};

const names = process.argv.slice(2);
for (const name of names)
  if (!Object.hasOwn(MEASUREMENTS, name)) {
    console.error(`There is no measurement "${name}". There are: ${Object.keys(MEASUREMENTS).join(", ")}.`);
    process.exit(1);
  }

const sections: string[] = [];
let redis = "";
for (const [name, measure] of Object.entries(MEASUREMENTS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.error(`measuring ${name} …`);
  // One each, so that none inherits another's load.
  const server = await startRedis();
  const admin = await createClient({ url: server.url }).connect();
  redis = /redis_version:(\S+)/.exec(await admin.info("server"))?.[1] ?? "?";
  admin.destroy();
  try {
    const section = renderSection(await measure(server.url));
    sections.push(section);
    console.log(section);
  } catch (error) {
    // Before the server goes, and takes clients with it that were not closed.
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
