/**
 * rejoin's own server, in the page: the memory store, the context and the handler are Fetch API, so a story has the real
 * thing on the other end of its `fetch`. It also tells what went over the wire.
 */
import { EventSourceParserStream } from "eventsource-parser/stream";
import {
  assistantStream,
  type AssistantMessage,
  type AssistantStreamChunk,
} from "rejoin/protocols/assistant-stream";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  createResumableStreamHandler,
  createResumableStreamResponse,
} from "rejoin/server";

/** A response of events, as the wire had it. */
export interface Connection {
  /** The position that the request named; `""` for the start. */
  readonly from: string;
  /** Cursors of the entries that were sent, in order. */
  readonly entries: readonly string[];
}

/** A server in the page. */
export interface InPageServer {
  readonly fetch: typeof globalThis.fetch;
  /** How often the model was run. */
  readonly runs: () => number;
  readonly connections: readonly Connection[];
  /** The answer as `onFinish` got it; rejects where the server is closed before. */
  readonly finished: Promise<AssistantMessage>;
  /** Requests are not answered from now on. */
  readonly hold: () => void;
  /** They are again, those that waited too. */
  readonly release: () => void;
  readonly close: () => Promise<void>;
}

/** Options of {@link createInPageServer}. */
export interface InPageServerOptions {
  /** The answer to every question. */
  readonly chunks: readonly AssistantStreamChunk[];
  readonly chunksPerSecond: number;
}

/** Path of the route that asks. */
export const ASK_PATH = "/in-page/chat";
/** Base path of the handler. */
export const STREAMS_ENDPOINT = "/in-page/streams";

/** Makes a server. */
export function createInPageServer({ chunks, chunksPerSecond }: InPageServerOptions): InPageServer {
  const context = createResumableStreamContext({ store: createInMemoryResumableStreamStore() });
  const handler = createResumableStreamHandler({
    context,
    basePath: STREAMS_ENDPOINT,
    authorize: () => true,
  });
  const finished = Promise.withResolvers<AssistantMessage>();
  const connections: { readonly from: string; readonly entries: string[] }[] = [];
  let runs = 0;
  let gate = openGate();

  function answer(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== ASK_PATH) return handler(request);
    return createResumableStreamResponse({
      request,
      context,
      owner: null,
      protocol: assistantStream,
      source({ signal }) {
        runs++;
        return paced(chunks, chunksPerSecond, signal);
      },
      onFinish: ({ message }) => finished.resolve(message),
    });
  }

  /** Notes which entries a response of events has. */
  function watch(request: Request, body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream {
    const [toPage, toNotes] = body.tee();
    const connection = {
      from: new URL(request.url).searchParams.get("cursor") ?? "",
      entries: new Array<string>(),
    };
    connections.push(connection);
    const events = toNotes.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    void events
      .pipeTo(
        new WritableStream({
          write({ event, id }) {
            if (event === undefined && id !== undefined) connection.entries.push(id);
          },
        }),
      )
      .catch(() => {});
    return toPage;
  }

  return {
    async fetch(input, init) {
      const url = input instanceof Request ? input.url : new URL(input, location.href);
      const request = new Request(url, init);
      await gate.opened;
      request.signal.throwIfAborted();
      const response = await answer(request);
      if (response.body === null) return response;
      const isEvents = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
      const body: ReadableStream = isEvents ? watch(request, response.body) : response.body;
      // What a network does for a real response: an abort breaks it off.
      return new Response(body.pipeThrough(new TransformStream(), { signal: request.signal }), response);
    },
    runs: () => runs,
    connections,
    finished: finished.promise,
    hold() {
      gate = closedGate();
    },
    release() {
      gate.open();
      gate = openGate();
    },
    close: () => context.close(),
  };
}

async function* paced(
  chunks: readonly AssistantStreamChunk[],
  chunksPerSecond: number,
  signal: AbortSignal,
): AsyncGenerator<AssistantStreamChunk> {
  for (const chunk of chunks) {
    await delay(1000 / chunksPerSecond, signal);
    yield chunk;
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function openGate(): Gate {
  return { opened: Promise.resolve(), open: () => {} };
}

function closedGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
