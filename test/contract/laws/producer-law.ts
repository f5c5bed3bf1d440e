/**
 * Law: a source that is run as apps run it, on a store that loses answers, is away for a while and loses what it had: it is
 * started once, every follower gets each event once and the same end, and `onFinish` gets the message that they see. A
 * producer that was cut off and taken over changes nothing any more, whether it hears of that or not.
 */
import fc from "fast-check";
import { expect } from "vitest";
import {
  createResumableStreamContext,
  ResumableStreamError,
  type EventStreamStore,
  type FinishedStream,
} from "../../../src/server/index.ts";
import { formatCursor } from "../../../src/shared/cursor.ts";
import type { SseEvent } from "../../../src/shared/sse.ts";
import { followAnswer, followResponse } from "../../support/produced-answer.ts";
import { scriptedSource } from "../../support/scripted-source.ts";
import { controlOf, payloadsOf } from "../../support/sse-client.ts";
import { sseOf, textPayloads, textProtocol, type TextMessage } from "../../support/text-protocol.ts";
import { LEASE_MS, settle, type LawHarness } from "./law-harness.ts";

/** What becomes of a call: its answer comes, is lost, or the store is away and never hears of it. */
type Fate = "answered" | "lost" | "away";

/** The answer of who takes over. */
const NEXT = textPayloads("taken ", "over");

/** What happens while a source writes. */
export interface TroubledRun {
  /** How many events the source writes, at each step. */
  readonly writes: readonly number[];
  /** What becomes of the producer's calls, in their order; the rest are answered. */
  readonly fates: readonly Fate[];
  readonly trouble: "none" | "stop" | "delete" | "takeover" | "lose-some" | "lose-all";
  /** Whether the producer is told that it lost its lease; else it finds out by its calls. */
  readonly deaf: boolean;
  /** Step before which the trouble comes. */
  readonly at: number;
  /** Milliseconds between two steps; taken in turn. */
  readonly pauses: readonly number[];
}

/** Any such run. `canLose`: whether the store may lose what it had. */
export const troubledRuns = (canLose: boolean): fc.Arbitrary<TroubledRun> =>
  fc.record({
    writes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
    fates: fc.array(fc.constantFrom<Fate>("answered", "answered", "lost", "away"), { maxLength: 8 }),
    trouble: fc.constantFrom(
      ...(["none", "stop", "delete", "takeover"] as const),
      ...(canLose ? (["lose-some", "lose-all"] as const) : []),
    ),
    deaf: fc.boolean(),
    at: fc.nat(8),
    pauses: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
  });

/** Runs one on a fresh stream. */
export async function expectWholeAnswer(harness: LawHarness, plan: TroubledRun): Promise<void> {
  const id = `law-${crypto.randomUUID()}`;
  const [, plain] = harness.stores;
  const finished: FinishedStream<TextMessage>[] = [];
  let producing: Promise<unknown> = Promise.resolve();
  const store = troubled(harness.stores[0], plan);
  const context = createResumableStreamContext({
    store,
    leaseMs: LEASE_MS,
    // Nor does a producer give up that is cut off until its lease has lapsed.
    storeAwayMs: LEASE_MS * 10,
    onError: () => {},
    waitUntil: (done) => void (producing = done),
  });
  const other = createResumableStreamContext({ store: plain, leaseMs: LEASE_MS, onError: () => {} });
  const source = scriptedSource();
  const payloads = textPayloads(
    ...Array.from({ length: plan.writes.reduce((sum, count) => sum + count, 0) }, (_, index) => `${index} `),
  );
  const options = { protocol: textProtocol, owner: "ada", control: true } as const;
  const own = followResponse(
    await context.run(id, source.make, { ...options, onFinish: (answer) => void finished.push(answer) }),
  );
  const followers = [own, await followAnswer(other, id)];
  // A request that comes again only follows.
  followers.push(followResponse(await other.run(id, source.make, options)));
  // Who comes while there is no stream is told so, and is nobody's follower.
  while (!followers.every(({ events }) => controlOf(events, "rejoin.live") !== undefined))
    await harness.pass(1);

  let written = 0;
  for (const [step, count] of plan.writes.entries()) {
    if (step === plan.at) await befall();
    write(payloads.slice(written, (written += count)));
    await harness.pass(plan.pauses[step % plan.pauses.length] ?? 0);
  }
  if (plan.at >= plan.writes.length) await befall();
  write(payloads.slice(written));
  if (source.signal()?.aborted === false) source.end();

  const told = await settle(
    harness,
    followers.map(({ all }) => all),
    20,
  );
  await settle(harness, [producing], 20);
  expect(source.starts()).toBe(1);
  if (plan.trouble === "takeover") {
    for (const events of told) expectLostOrTakenOver(events);
    expect(source.signal()?.aborted).toBe(true);
    expect(finished).toEqual([]);
    await Promise.all([context.close(), other.close()]);
    return;
  }
  const ends = told.map((events) => controlOf(events, "rejoin.end"));
  const got = told.map(payloadsOf);
  for (const [index, each] of got.entries()) {
    expect(each).toEqual(payloads.slice(0, each.length));
    expect(ends[index]).toEqual(ends[0]);
    if (plan.trouble !== "delete") expect(each).toEqual(got[0]);
  }
  switch (plan.trouble) {
    case "stop":
      expect([{ status: "done" }, { status: "stopped" }]).toContainEqual(ends[0]);
      break;
    case "delete":
      expect(ends[0]).toMatchObject({ status: "missing", error: { code: "deleted" } });
      break;
    default:
      expect(ends[0]).toEqual({ status: "done" });
      expect(got[0]).toEqual(payloads);
  }
  const text = (got[0] ?? []).map((payload) => JSON.parse(payload).t ?? "").join("");
  expect(finished).toMatchObject(plan.trouble === "delete" ? [] : [{ message: { text } }]);
  await Promise.all([context.close(), other.close()]);

  /** Who followed when the producer was lost was told so, or found the next one there and began anew. */
  function expectLostOrTakenOver(events: readonly SseEvent[]): void {
    const reset = events.findIndex(({ event }) => event === "rejoin.reset");
    const before = payloadsOf(reset < 0 ? events : events.slice(0, reset));
    expect(before).toEqual(payloads.slice(0, before.length));
    if (reset < 0) {
      expect(controlOf(events, "rejoin.end")).toMatchObject({ error: { code: "producer-lost" } });
      return;
    }
    expect(payloadsOf(events.slice(reset))).toEqual(NEXT);
    expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
  }

  async function takeOver(): Promise<void> {
    const generation = (await plain.inspect(id))?.generation ?? "";
    store.isCutOff = true;
    await harness.lapse(id);
    const next = scriptedSource();
    const saved: FinishedStream<TextMessage>[] = [];
    const takenOver = await other.run(id, next.make, {
      ...options,
      takeover: true,
      onFinish: (answer) => void saved.push(answer),
    });
    const news = [followResponse(takenOver), await followAnswer(other, id, formatCursor(generation, 1))];
    next.write(sseOf(NEXT.slice(0, 1)));
    store.isCutOff = false;
    // Something to find out by.
    write(payloads.slice(-1));
    while (source.signal()?.aborted === false) await harness.pass(1);
    next.write(sseOf(NEXT.slice(1)));
    next.end();
    for (const { all } of news) {
      const [events = []] = await settle(harness, [all], 20);
      expect(payloadsOf(events)).toEqual(NEXT);
      expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
    }
    expect(news[1]?.events[0]?.event).toBe("rejoin.reset");
    while (saved.length === 0) await harness.pass(1);
    expect(saved).toMatchObject([{ status: "done", message: { text: "taken over" } }]);
  }

  /** A source that was told to end has nothing to write any more. */
  function write(some: readonly string[]): void {
    if (source.signal()?.aborted === false) source.write(sseOf(some));
  }

  async function befall(): Promise<void> {
    switch (plan.trouble) {
      case "none":
        return;
      case "stop":
        return void (await other.stop(id));
      case "delete":
        return void (await other.delete(id));
      case "takeover":
        return takeOver();
      case "lose-some":
        return void (await harness.lose?.(id, Math.floor(((await plain.inspect(id))?.lastSeq ?? 0) / 2)));
      case "lose-all":
        return void (await harness.lose?.(id, -1));
    }
  }
}

/** A store whose answers come, are lost, or are never given, as told; and to which the way may be cut. */
function troubled(
  store: EventStreamStore,
  { fates, deaf }: Pick<TroubledRun, "fates" | "deaf">,
): EventStreamStore & { isCutOff: boolean } {
  let calls = 0;
  async function meet<T>(call: () => Promise<T>): Promise<T> {
    const fate = self.isCutOff ? "away" : (fates[calls] ?? "answered");
    calls += 1;
    const answer = fate === "away" ? undefined : await call();
    if (answer === undefined || fate !== "answered")
      throw new ResumableStreamError("store-unavailable", `The law's store: ${fate}.`);
    return answer;
  }
  const self = {
    ...store,
    isCutOff: false,
    appendBatch: (...args: Parameters<typeof store.appendBatch>) => meet(() => store.appendBatch(...args)),
    renew: (...args: Parameters<typeof store.renew>) => meet(() => store.renew(...args)),
    end: (...args: Parameters<typeof store.end>) => meet(() => store.end(...args)),
    restore: (...args: Parameters<typeof store.restore>) => meet(() => store.restore(...args)),
    watchLease: (...args: Parameters<typeof store.watchLease>) =>
      deaf ? () => {} : store.watchLease(...args),
  };
  return self;
}
