/** A session and a handler over real HTTP, through a proxy that can cut connections. */
import { createServer, type Server, type Socket } from "node:net";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createStreamClient, memoryCheckpoints, type StreamClient } from "../../src/core.ts";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  createResumableStreamHandler,
  createResumableStreamResponse,
  type FinishedStream,
  type ResumableStreamContext,
} from "../../src/server/index.ts";
import {
  assistantStream,
  type AssistantMessage,
  type AssistantStreamChunk,
} from "../../src/shared/protocols/assistant-stream/index.ts";
import { everyPartChunks } from "../support/every-part-answer.ts";
import { serveFetch, type TestServer } from "../support/http-server.ts";
import { scriptedSource, type ScriptedSource } from "../support/scripted-source.ts";
import { hasEnded, until } from "../support/session-harness.ts";

/** A TCP proxy: connections through it can be cut, as trains do. */
interface Proxy {
  readonly url: string;
  /** Bytes that came back through it. */
  received(): number;
  cut(): void;
  /** While it is down it refuses connections. */
  down: boolean;
  close(): Promise<void>;
}

async function startProxy(target: string): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let received = 0;
  const port = Number(new URL(target).port);
  const server: Server = createServer((socket) => {
    if (proxy.down) return void socket.destroy();
    const upstream = connect(port, "127.0.0.1");
    for (const side of [socket, upstream]) {
      sockets.add(side);
      side.on("error", () => {});
      side.on("close", () => {
        sockets.delete(side);
        socket.destroy();
        upstream.destroy();
      });
    }
    upstream.on("data", (data) => (received += data.byteLength));
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const proxy: Proxy = {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    received: () => received,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    down: false,
    async close() {
      proxy.cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}

let context: ResumableStreamContext;
let source: ScriptedSource<AssistantStreamChunk>;
let server: TestServer;
let proxy: Proxy;
let client: StreamClient<AssistantMessage>;
let finished: FinishedStream<AssistantMessage>[];
const rejections: unknown[] = [];
const noteRejection = (reason: unknown): void => void rejections.push(reason);

beforeEach(async () => {
  process.on("unhandledRejection", noteRejection);
  source = scriptedSource();
  finished = [];
  context = createResumableStreamContext({ store: createInMemoryResumableStreamStore(), onError: () => {} });
  const handler = createResumableStreamHandler({ context, authorize: () => true, basePath: "/api/streams" });
  server = await serveFetch((request) =>
    new URL(request.url).pathname === "/api/chat"
      ? createResumableStreamResponse({
          request,
          context,
          owner: null,
          protocol: assistantStream,
          source: source.make,
          onFinish: (answer) => finished.push(answer),
        })
      : handler(request),
  );
  proxy = await startProxy(server.url);
  client = clientOf();
});

afterEach(async () => {
  client.dispose();
  await proxy.close();
  await context.close();
  await server.close();
  process.off("unhandledRejection", noteRejection);
  expect(rejections).toEqual([]);
});

const checkpoints = memoryCheckpoints();
const clientOf = (): StreamClient<AssistantMessage> =>
  createStreamClient({ endpoint: `${proxy.url}/api/streams`, protocol: assistantStream, checkpoints });
const ask = (id?: string): Promise<string> =>
  client.start({ url: `${proxy.url}/api/chat`, id, body: { text: "?" } });

describe("an answer over real HTTP", () => {
  it("is the message that the server saves, its connection cut after every few chunks", async () => {
    const id = await ask();
    const session = client.session(id);
    session.connect();
    for (let index = 0; index < everyPartChunks.length; index += 4) {
      source.write(...everyPartChunks.slice(index, index + 4));
      const wanted = Math.min(index + 4, everyPartChunks.length);
      await until(session, (state) => state.cursor.endsWith(`.${wanted}`));
      proxy.cut();
    }
    source.end();
    await until(session, hasEnded);
    expect(session.getState().status).toBe("done");
    expect(JSON.stringify(session.getState().message)).toBe(JSON.stringify(finished[0]?.message));
    expect(source.starts()).toBe(1);
  });

  it("transfers after a reload only what was missing", async () => {
    const id = await ask();
    const before = client.session(id);
    before.connect();
    const half = Math.floor(everyPartChunks.length / 2);
    source.write(...everyPartChunks.slice(0, half));
    await until(before, (state) => state.cursor.endsWith(`.${half}`));
    before.dispose();
    // What the page that went away is still being sent does not count.
    proxy.cut();
    const sent = proxy.received();
    source.write(...everyPartChunks.slice(half));
    source.end();
    client = clientOf();
    const after = client.session(id);
    expect(after.getState().cursor).toBe(before.getState().cursor);
    after.connect();
    await until(after, hasEnded);
    expect(JSON.stringify(after.getState().message)).toBe(JSON.stringify(finished[0]?.message));
    const { cursor } = before.getState();
    const rest = await fetch(`${server.url}/api/streams/${id}?control=1&cursor=${cursor}`);
    const missing = await rest.text();
    expect(missing.match(/^data: /gm)).toHaveLength(everyPartChunks.length - half + 1);
    // Beside the events there are the head of the response and the lengths of its chunks.
    const overhead = 1_000 + 16 * everyPartChunks.length;
    expect(proxy.received() - sent).toBeLessThan(Buffer.byteLength(missing) + overhead);
  });

  it("runs the model once when the request is sent twice at once, and again later", async () => {
    const id = crypto.randomUUID();
    const other = createStreamClient({
      endpoint: `${proxy.url}/api/streams`,
      protocol: assistantStream,
      checkpoints: memoryCheckpoints(),
    });
    await Promise.all([ask(id), other.start({ url: `${proxy.url}/api/chat`, id })]);
    source.write(...everyPartChunks);
    source.end();
    const sessions = [client.session(id), other.session(id)];
    for (const session of sessions) {
      session.connect();
      await until(session, hasEnded);
      expect(JSON.stringify(session.getState().message)).toBe(JSON.stringify(finished[0]?.message));
    }
    await ask(id);
    expect(source.starts()).toBe(1);
    other.dispose();
  });

  it("goes on when the server is not reached for a while", async () => {
    const id = await ask();
    const session = client.session(id);
    session.connect();
    source.write(...everyPartChunks.slice(0, 10));
    await until(session, (state) => state.cursor.endsWith(".10"));
    proxy.down = true;
    proxy.cut();
    await until(session, (state) => state.attempt >= 2);
    expect(session.getState()).toMatchObject({ status: "reconnecting", error: { code: "network" } });
    source.write(...everyPartChunks.slice(10));
    source.end();
    proxy.down = false;
    await until(session, hasEnded);
    expect(JSON.stringify(session.getState().message)).toBe(JSON.stringify(finished[0]?.message));
  });

  it("is stopped on the server, and stays stopped for a reloaded page", async () => {
    const id = await ask();
    const session = client.session(id);
    session.connect();
    source.write(...everyPartChunks.slice(0, 10));
    await until(session, (state) => state.cursor.endsWith(".10"));
    await session.stop();
    await until(session, hasEnded);
    expect(source.signal()?.aborted).toBe(true);
    expect(JSON.stringify(session.getState().message)).toBe(JSON.stringify(finished[0]?.message));
    client.dispose();
    client = clientOf();
    const again = client.session(id);
    again.connect();
    await until(again, hasEnded);
    expect(again.getState().status).toBe("stopped");
    expect(source.starts()).toBe(1);
  });

  it("that the model fails is told with a text fit for users", async () => {
    const id = await ask();
    const session = client.session(id);
    session.connect();
    source.fail(new Error("secret"));
    await until(session, hasEnded);
    expect(session.getState()).toMatchObject({
      status: "error",
      error: { code: "source-failed", message: "The answer could not be completed." },
    });
    expect(JSON.stringify(session.getState().message)).toBe(JSON.stringify(finished[0]?.message));
  });
});
