/**
 * For tests of hooks: MSW answers with a real handler on a memory store, so that what a test sees is what a server says; and
 * components render under StrictMode, with a provider and a QueryClient.
 */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import { http } from "msw";
import { setupServer, type SetupServer } from "msw/node";
import { StrictMode, type ReactNode } from "react";
import {
  memoryCheckpoints,
  ResumableStreamProvider,
  type CheckpointStore,
  type ResumableStreamProviderProps,
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
import type { StreamProtocol } from "../../src/shared/protocols/protocol.ts";
import { scriptedSource, type ScriptedSource } from "./scripted-source.ts";

export const ORIGIN = "http://localhost";
export const ENDPOINT = `${ORIGIN}/api/streams`;
export const CHAT_URL = `${ORIGIN}/api/chat`;

/** What the network does with a request: hand it on, or not. */
export type Network = (request: Request, answer: () => Promise<Response>) => Promise<Response>;

export interface StreamApp {
  readonly msw: SetupServer;
  readonly context: ResumableStreamContext;
  readonly source: ScriptedSource<AssistantStreamChunk>;
  /** Requests so far, as `METHOD /path`. */
  readonly requests: string[];
  network: Network;
  readonly checkpoints: CheckpointStore;
  readonly queryClient: QueryClient;
  /** Renders in the app; each call is a page that was loaded anew, with the same storage. */
  load(children: ReactNode, props?: Partial<ResumableStreamProviderProps<AssistantMessage>>): RenderResult;
  wrap(children: ReactNode, props?: Partial<ResumableStreamProviderProps<AssistantMessage>>): ReactNode;
  /** Starts a stream on the server, as another tab would. */
  startElsewhere(id: string): Promise<void>;
}

export function createStreamApp(protocol: StreamProtocol<AssistantMessage> = assistantStream): StreamApp {
  const context = createResumableStreamContext({
    store: createInMemoryResumableStreamStore(),
    onError: () => {},
  });
  const handler = createResumableStreamHandler({ context, authorize: () => true, basePath: "/api/streams" });
  const source = scriptedSource<AssistantStreamChunk>();
  const answer = (request: Request): Promise<Response> =>
    new URL(request.url).pathname === "/api/chat"
      ? createResumableStreamResponse({
          request,
          context,
          owner: null,
          protocol,
          source: source.make,
          thread: "chat",
        })
      : handler(request);
  const msw = setupServer(
    http.all(`${ORIGIN}/api/*`, ({ request }) => {
      app.requests.push(`${request.method} ${new URL(request.url).pathname}`);
      return app.network(request, () => answer(request));
    }),
  );
  const app: StreamApp = {
    msw,
    context,
    source,
    requests: [],
    network: (_request, next) => next(),
    checkpoints: memoryCheckpoints(),
    queryClient: new QueryClient({ defaultOptions: { queries: { retry: false } } }),
    wrap: (children, props) => (
      <StrictMode>
        <QueryClientProvider client={app.queryClient}>
          <ResumableStreamProvider endpoint={ENDPOINT} checkpoints={app.checkpoints} {...props}>
            {children}
          </ResumableStreamProvider>
        </QueryClientProvider>
      </StrictMode>
    ),
    load: (children, props) => render(app.wrap(children, props)),
    async startElsewhere(id) {
      const stream = await context.run(id, source.make, { protocol, owner: null, thread: "chat" });
      await stream.cancel();
    },
  };
  return app;
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
