/** How long an event takes from a source in one process to a follower in another. */
import { createPushSource, FINISH, sleep, stampedEvent, TEXT_START } from "../lib/load.ts";
import { startFollower } from "../lib/processes.ts";
import { ms, times, type Figure, type Measure } from "../lib/report.ts";
import { percentile, stamp } from "../lib/statistics.ts";
import { loadSystem, type SystemName } from "../lib/system.ts";

const SAMPLES = 5_000;
const PER_SECOND = 50;
const NAMES: readonly SystemName[] = ["raw Redis", "rejoin", "assistant-stream", "resumable-stream"];

export const measure: Measure = async (url) => {
  const streamId = crypto.randomUUID();
  const lanes = await Promise.all(
    NAMES.map(async (name) => {
      const connection = await (await loadSystem(name)).connect(url);
      const source = createPushSource();
      const written = connection.write(streamId, source.chunks);
      source.push(TEXT_START);
      return { connection, source, written };
    }),
  );
  await sleep(500);
  const follower = startFollower(url, { task: "time", systems: NAMES, streamId });
  await follower.message();
  await sleep(1_000);
  // One system after the other, so that whatever else happens on the machine happens to all.
  const everyMs = 1_000 / PER_SECOND / NAMES.length;
  const startMs = performance.now();
  for (let sample = 0; sample < SAMPLES * NAMES.length; sample += 1) {
    const dueMs = startMs + sample * everyMs - performance.now();
    if (dueMs > 0) await sleep(dueMs);
    lanes[sample % NAMES.length]?.source.push(stampedEvent(stamp()));
  }
  const found = follower.message();
  for (const { source } of lanes) {
    source.push(FINISH);
    source.end();
  }
  await Promise.all(lanes.map(({ written }) => written));
  const latencies = readLatencies(await found);
  await follower.end();
  for (const { connection } of lanes) await connection.close();

  const at = (name: SystemName, share: number): number => percentile(latencies.get(name) ?? [], share);
  const figure = (share: number, bar?: number): Figure => {
    const ratio = at("rejoin", share) / at("raw Redis", share);
    return {
      what: `p${share * 100}`,
      rejoin: `${ms(at("rejoin", share))}, ${times(ratio)}`,
      raw: ms(at("raw Redis", share)),
      peers: `assistant-stream ${ms(at("assistant-stream", share))}, resumable-stream ${ms(at("resumable-stream", share))}`,
      ...(bar === undefined ? {} : { bar: `<= ${bar}x`, isMet: ratio <= bar }),
    };
  };
  return {
    title: "Append to a follower on another instance",
    how: `${SAMPLES} interleaved samples each, ${PER_SECOND} events/s, from the source's chunk in one process to the follower's text in another: rejoin with framing, log and SSE; raw XADD and blocking XREAD. assistant-stream polls; resumable-stream stores nothing.`,
    figures: [figure(0.5, 1.5), figure(0.95, 2), figure(0.99)],
  };
};

function readLatencies(message: unknown): Map<string, number[]> {
  if (typeof message !== "object" || message === null) throw new Error("No latencies came.");
  return new Map(
    Object.entries(message).map(([name, samples]) => {
      if (!Array.isArray(samples) || samples.length !== SAMPLES)
        throw new Error(`${name} delivered ${samples?.length} of ${SAMPLES} events.`);
      return [name, samples.map(Number)];
    }),
  );
}
