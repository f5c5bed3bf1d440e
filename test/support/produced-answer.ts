/** An answer that a test produces by hand on one server instance, and that is followed there and on others. */
import { expect } from "vitest";
import type { ResumableStreamContext } from "../../src/server/index.ts";
import type { EventStreamStore } from "../../src/server/stores/stream-store.ts";
import type { SseEvent } from "../../src/shared/sse.ts";
import { scriptedSource, type ScriptedSource } from "./scripted-source.ts";
import { controlOf, eventsOf, payloadsOf } from "./sse-client.ts";
import { textProtocol } from "./text-protocol.ts";

const OPTIONS = { protocol: textProtocol, owner: null, control: true } as const;

/** Somebody who follows. */
export interface FollowedAnswer {
  /** What it was told up to now. */
  readonly events: readonly SseEvent[];
  /** What it was told, once its response has ended. */
  readonly all: Promise<readonly SseEvent[]>;
}

/** A stream that is produced. */
export interface ProducedAnswer {
  readonly source: ScriptedSource<string>;
  /** The one who started it, then one on each of the other instances. */
  readonly followers: readonly FollowedAnswer[];
}

/** Reads a response as it comes. */
export function followResponse(body: ReadableStream<Uint8Array<ArrayBuffer>>): FollowedAnswer {
  const events: SseEvent[] = [];
  const all = (async () => {
    for await (const event of eventsOf(new Response(body))) events.push(event);
    return events;
  })();
  all.catch(() => {});
  return { events, all };
}

/** Follows a stream that there is. */
export async function followAnswer(
  context: ResumableStreamContext,
  streamId: string,
  cursor = "",
): Promise<FollowedAnswer> {
  return followResponse(await context.requireResume(streamId, { control: true, cursor }));
}

/** Starts a stream, and follows it everywhere. */
export async function produceAnswer(
  producer: ResumableStreamContext,
  streamId: string,
  others: readonly ResumableStreamContext[],
): Promise<ProducedAnswer> {
  const source = scriptedSource();
  const own = followResponse(await producer.run(streamId, source.make, OPTIONS));
  const theirs = await Promise.all(others.map((other) => followAnswer(other, streamId)));
  return { source, followers: [own, ...theirs] };
}

/** Sees each follower to its end, the whole answer. */
export async function expectWhole(
  followers: readonly FollowedAnswer[],
  payloads: readonly string[],
): Promise<void> {
  for (const { all } of followers) {
    const events = await all;
    expect(payloadsOf(events)).toEqual(payloads);
    expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
  }
}

/** Waits for something that comes about by itself. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Waits until a log has an entry. */
export const reached = (store: EventStreamStore, streamId: string, seq: number): Promise<void> =>
  until(async () => ((await store.inspect(streamId))?.lastSeq ?? 0) >= seq);

/** Waits until followers have been told so many entries. */
export const heard = (followers: readonly FollowedAnswer[], count: number): Promise<void> =>
  until(() => followers.every(({ events }) => payloadsOf(events).length >= count));
