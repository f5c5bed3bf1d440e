/** Requests while the store is away: all are answered 503, and say when to ask again. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  createResumableStreamHandler,
  createResumableStreamResponse,
  ResumableStreamError,
  type EventStreamStore,
} from "../../src/server/index.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { textProtocol } from "../support/text-protocol.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ORIGIN = "http://localhost";

async function unavailable(): Promise<never> {
  throw new ResumableStreamError("store-unavailable", "redis-7.internal refused");
}

function setUp() {
  const memory = createInMemoryResumableStreamStore();
  const store: EventStreamStore = {
    ...memory,
    open: unavailable,
    inspect: unavailable,
    find: unavailable,
    stop: unavailable,
    delete: unavailable,
  };
  const context = createResumableStreamContext({ store, onError: () => {} });
  const handler = createResumableStreamHandler({ context, basePath: "/streams", authorize: () => true });
  const source = scriptedSource();
  const start = (): Promise<Response> =>
    createResumableStreamResponse({
      request: new Request(`${ORIGIN}/chat`, { method: "POST", headers: { "x-resumable-stream-id": "s" } }),
      context,
      owner: null,
      protocol: textProtocol,
      source: source.make,
    });
  return { handler, start, source };
}

async function expectUnavailable(responding: Promise<Response>): Promise<void> {
  // However long a request insists.
  await vi.advanceTimersByTimeAsync(60_000);
  const response = await responding;
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await response.json()).toEqual({
    error: { code: "store-unavailable", message: expect.not.stringContaining("redis-7") },
  });
}

describe("while the store is away", () => {
  it.each([
    ["GET", "/streams/s"],
    ["GET", "/streams/s?control=1"],
    ["GET", "/streams/s/status"],
    ["POST", "/streams/s/stop"],
    ["DELETE", "/streams/s"],
    ["GET", "/streams/?thread=chat-1"],
  ])("%s %s is answered 503", async (method, path) => {
    const { handler } = setUp();
    await expectUnavailable(handler(new Request(`${ORIGIN}${path}`, { method })));
  });

  it("so is a start, and the model is not asked", async () => {
    const { start, source } = setUp();
    await expectUnavailable(start());
    expect(source.starts()).toBe(0);
  });
});
