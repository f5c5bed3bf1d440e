/**
 * An app for tests of hooks: MSW answers with a real handler on a memory store, so that what a test sees is what a server
 * says; and components render under StrictMode, with a provider and a QueryClient.
 */
import { focusManager, onlineManager, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, type RenderResult } from "@testing-library/react";
import { http } from "msw";
import { setupServer } from "msw/node";
import { StrictMode, type ReactNode } from "react";
import { test, vi } from "vitest";
import {
  ResumableStreamProvider,
  sessionStorageCheckpoints,
  useStreamClient,
  type ResumableStreamProviderProps,
  type StreamClient,
} from "../../src/index.ts";
import {
  createInMemoryResumableStreamStore,
  createResumableStreamContext,
  createResumableStreamHandler,
  createResumableStreamResponse,
  type ResumableStreamContext,
} from "../../src/server/index.ts";
import {
  assistantStream,
  type AssistantMessage,
  type AssistantStreamChunk,
} from "../../src/shared/protocols/assistant-stream/index.ts";
import { holdTime, pass, settle } from "./fake-time.ts";
import { createNetwork, type Network } from "./network.ts";
import { leavePage } from "./page-signals.ts";
import { scriptedSource, type ScriptedSource } from "./scripted-source.ts";

export const ORIGIN = "http://localhost";
export const ENDPOINT = `${ORIGIN}/api/streams`;
export const CHAT_URL = `${ORIGIN}/api/chat`;
/** How often the server gives a sign of life; not as often as by default. */
export const HEARTBEAT_MS = 5_000;

type ProviderProps = Partial<ResumableStreamProviderProps<AssistantMessage>>;

export interface StreamApp {
  readonly network: Network;
  /** What pages send their requests with. */
  readonly fetch: typeof globalThis.fetch;
  readonly context: ResumableStreamContext;
  readonly source: ScriptedSource<AssistantStreamChunk>;
  readonly queryClient: QueryClient;
  /** Opens a page; each call is one that was loaded anew, in the same tab. */
  load(children: ReactNode, props?: ProviderProps): RenderResult;
  /** Children in the app, to render the page again with. */
  wrap(children: ReactNode, props?: ProviderProps): ReactNode;
  /** Leaves the page, as a reload does: what is not stored is gone. */
  leave(): void;
  /** The page is gone, and was not told before. */
  crash(): void;
  /** Starts a stream on the server, as another tab would. */
  startElsewhere(id: string): Promise<void>;
  /** The model writes a text, and a frame passes. */
  says(text: string): Promise<void>;
  /** The model writes the rest and ends. */
  finishes(text?: string): Promise<void>;
}

/** A test with time that is held, and an app. */
export const it = test
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern what a fixture needs
  .extend("app", async ({}, { onCleanup }) => {
    holdTime();
    const app = createStreamApp();
    onCleanup(async () => {
      await app.close();
      onlineManager.setOnline(true);
      focusManager.setFocused(undefined);
      sessionStorage.clear();
      vi.unstubAllGlobals();
      vi.restoreAllMocks();
      vi.useRealTimers();
    });
    return app;
  });

function createStreamApp(): StreamApp & { close(): Promise<void> } {
  const context = createResumableStreamContext({
    store: createInMemoryResumableStreamStore(),
    heartbeatMs: HEARTBEAT_MS,
    onError: () => {},
  });
  const handler = createResumableStreamHandler({ context, authorize: () => true, basePath: "/api/streams" });
  const source = scriptedSource<AssistantStreamChunk>();
  const events = { protocol: assistantStream, owner: null, thread: "chat" } as const;
  const server = (request: Request): Promise<Response> =>
    request.url === CHAT_URL
      ? createResumableStreamResponse({ request, context, source: source.make, ...events })
      : handler(request);
  const network = createNetwork();
  const msw = setupServer(http.all(`${ORIGIN}/api/*`, ({ request }) => network.serve(request, server)));
  msw.listen({ onUnhandledFrame: "error" });
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  let page: RenderResult | undefined;
  /** The client of the page that is open. */
  let client: StreamClient<unknown> | undefined;
  let pageFetch = fetchOfPage(network);
  let hasBegun = false;

  function Page({ children }: { readonly children: ReactNode }): ReactNode {
    client = useStreamClient();
    return children;
  }

  function write(text: string): void {
    if (!hasBegun) source.write(chunk.start);
    hasBegun = true;
    source.write(chunk.text(text));
  }

  const app: ReturnType<typeof createStreamApp> = {
    network,
    get fetch() {
      return pageFetch.fetch;
    },
    context,
    source,
    queryClient,
    wrap: (children, props) => (
      <StrictMode>
        <QueryClientProvider client={queryClient}>
          <ResumableStreamProvider
            endpoint={ENDPOINT}
            checkpoints={sessionStorageCheckpoints()}
            fetch={pageFetch.fetch}
            {...props}
          >
            <Page>{children}</Page>
          </ResumableStreamProvider>
        </QueryClientProvider>
      </StrictMode>
    ),
    load(children, props) {
      pageFetch = fetchOfPage(network);
      return (page = render(app.wrap(children, props)));
    },
    leave() {
      leavePage();
      app.crash();
    },
    crash() {
      // Here, what is left of a page would live on beside the next one: send, store, and answer to what happens to that.
      const stored = { ...sessionStorage };
      pageFetch.die();
      page?.unmount();
      client?.dispose();
      sessionStorage.clear();
      for (const [key, value] of Object.entries(stored)) sessionStorage.setItem(key, value);
      queryClient.clear();
    },
    async startElsewhere(id) {
      hasBegun = false;
      const stream = await context.run(id, source.make, events);
      await stream.cancel();
    },
    async says(text) {
      write(text);
      await pass();
    },
    async finishes(text) {
      if (text !== undefined) write(text);
      source.write(chunk.finish);
      source.end();
      await pass();
    },
    async close() {
      app.crash();
      cleanup();
      network.shutDown();
      await settle();
      msw.close();
      await context.close();
    },
  };
  return app;
}

/** A network as one page has it: once the page is gone it sends nothing, and nobody hears what was answered. */
function fetchOfPage(network: Network): { readonly fetch: typeof fetch; die(): void } {
  let isAlive = true;
  return {
    fetch: (...request) =>
      new Promise((resolve, reject) => {
        if (!isAlive) return;
        network.fetch(...request).then(
          (response) => isAlive && resolve(response),
          (error: unknown) => isAlive && reject(error),
        );
      }),
    die: () => void (isAlive = false),
  };
}

/** The text of a message's text parts. */
export function textOf(message: AssistantMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Chunks of an answer that is one text. */
export const chunk = {
  start: { type: "part-start", path: [], part: { type: "text" } },
  text: (textDelta: string): AssistantStreamChunk => ({ type: "text-delta", path: [0], textDelta }),
  finish: {
    type: "message-finish",
    path: [],
    finishReason: "stop",
    usage: { inputTokens: 1, outputTokens: 1 },
  },
} as const satisfies Record<string, AssistantStreamChunk | ((text: string) => AssistantStreamChunk)>;
