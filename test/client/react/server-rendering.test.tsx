/** A page that is rendered in Node, and hydrated in a tab that knows more: it has a checkpoint. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Writable } from "node:stream";
import { lazy, Profiler, StrictMode, Suspense, type ReactNode } from "react";
import type { Root } from "react-dom/client";
import { renderToPipeableStream } from "react-dom/server";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { builtinEnvironments } from "vitest/runtime";
import {
  createStreamClient,
  ResumableStreamProvider,
  useActiveStream,
  useResumableStream,
  type CheckpointStore,
} from "../../../src/index.ts";
import {
  assistantStream,
  type AssistantMessage,
  type AssistantStreamChunk,
} from "../../../src/shared/protocols/assistant-stream/index.ts";
import { holdTime, pass, settle } from "../../support/fake-time.ts";
import { scriptedSource, type ScriptedSource } from "../../support/scripted-source.ts";
import { createHarness, STREAM_ID, type Harness } from "../../support/session-harness.ts";

const ENDPOINT = "/api/streams";

/** React for browsers, which looks for one when it is loaded. */
let react: typeof import("react-dom/client");
let source: ScriptedSource<AssistantStreamChunk>;
let harness: Harness<AssistantMessage>;
/** The app's own, where it has one. */
let checkpoints: CheckpointStore | undefined;
const cleanups: (() => unknown)[] = [];

/** What React complains of: of some mismatches here, of others to `onRecoverableError`. */
const problems: unknown[] = [];

beforeAll(async () => {
  const tab = await builtinEnvironments.jsdom.setup(globalThis, {});
  react = await import("react-dom/client");
  await tab.teardown(globalThis);
}, 60_000);

beforeEach(() => {
  holdTime();
  problems.length = 0;
  checkpoints = undefined;
  vi.spyOn(console, "error").mockImplementation((...words) => {
    // Here the server and the browser are one process, which they are nowhere else.
    if (!String(words[0]).includes("Detected multiple renderers")) problems.push(words);
  });
  source = scriptedSource();
  harness = createHarness(assistantStream, source.make);
  cleanups.push(() => harness.context.close());
});

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** From here on this is a browser's tab. */
async function openTab(): Promise<void> {
  const { teardown } = await builtinEnvironments.jsdom.setup(globalThis, {});
  cleanups.push(() => teardown(globalThis));
}

/** The tab reads "Hel" of an answer that it asked for, and is left. */
async function readAndLeave(): Promise<void> {
  const client = createStreamClient({ endpoint: ENDPOINT, protocol: assistantStream, fetch: harness.fetch });
  await client.start({ id: STREAM_ID, url: "/api/chat", thread: "chat" });
  source.write({ type: "part-start", path: [], part: { type: "text" } });
  source.write({ type: "text-delta", path: [0], textDelta: "Hel" });
  await pass();
  client.dispose();
  harness.requests.length = 0;
}

/** Closes the page, and lets React finish while there still is a window. */
function close(root: Root): Promise<void> {
  root.unmount();
  return settle();
}

/** Holds back every answer of the network. */
function holdNetwork(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  harness.network = async (request, next) => {
    await promise;
    return next(request);
  };
  return resolve;
}

function Answer({ place }: { readonly place: string }): ReactNode {
  const { status, message } = useResumableStream(STREAM_ID);
  const text = (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
  return (
    <p id={place} title={`${text.length} letters`}>
      {status}: {text}
    </p>
  );
}

function Active(): ReactNode {
  const { data } = useActiveStream("chat");
  return <p id="active">{String(data?.streamId)}</p>;
}

/** A page with an answer, with the newest one of a chat, and with one whose code comes later. */
function Page({
  later: Later,
  onCommit,
}: {
  readonly later: typeof Answer;
  onCommit?: () => void;
}): ReactNode {
  return (
    <StrictMode>
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        <ResumableStreamProvider endpoint={ENDPOINT} fetch={harness.fetch} checkpoints={checkpoints}>
          <Profiler id="page" onRender={() => onCommit?.()}>
            <Answer place="answer" />
            <Active />
            <Suspense fallback="…">
              <Later place="later" />
            </Suspense>
          </Profiler>
        </ResumableStreamProvider>
      </QueryClientProvider>
    </StrictMode>
  );
}

/** The element that the page is in. */
function addMain(html: string): HTMLElement {
  const main = document.createElement("main");
  main.innerHTML = html;
  document.body.append(main);
  return main;
}

/** Code that comes when it is let. */
function comingLater(): { readonly Later: typeof Answer; come(): void } {
  const { promise, resolve } = Promise.withResolvers<{ default: typeof Answer }>();
  return { Later: lazy(() => promise), come: () => resolve({ default: Answer }) };
}

/** Renders as a server does, and waits for all of it. */
async function renderOnServer(): Promise<string> {
  const { Later, come } = comingLater();
  let html = "";
  const output = new Writable({
    write(bytes, _encoding, done) {
      html += String(bytes);
      done();
    },
  });
  await new Promise<void>((resolve, reject) => {
    const { pipe } = renderToPipeableStream(<Page later={Later} />, {
      onError: reject,
      onShellReady: come,
      onAllReady: () => pipe(output).on("finish", resolve),
    });
  });
  return html;
}

const shown = (place: string): string | null => document.getElementById(place)?.textContent ?? null;

describe("a page that a server renders", () => {
  it("is idle there, asks nothing, and leaves no timer behind", async () => {
    expect(typeof window).toBe("undefined");
    const html = await renderOnServer();
    expect(html).toMatch(/<p id="answer" title="0 letters">idle<!-- -->: <\/p><p id="active">undefined<\/p>/);
    expect(html).toMatch(/<p id="later" title="0 letters">idle<!-- -->: <\/p>/);
    await settle();
    expect(harness.requests).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves the app's store alone there", async () => {
    const asked = vi.fn(() => Promise.reject(new Error("There is no IndexedDB here.")));
    checkpoints = { get: asked, set: asked, delete: asked, retainScope: asked, clear: asked };
    await renderOnServer();
    await settle();
    expect(asked).not.toHaveBeenCalled();
    expect(problems).toEqual([]);
  });

  it("hydrates without a mismatch, and shows its checkpoint with the first commit after that", async () => {
    const html = await renderOnServer();
    await openTab();
    await readAndLeave();
    const release = holdNetwork();

    const main = addMain(html);
    const server = main.querySelectorAll("p");
    const commits: (string | null)[][] = [];
    const { Later, come } = comingLater();
    const onCommit = (): unknown => commits.push([shown("answer"), shown("active"), shown("later")]);
    const root = react.hydrateRoot(main, <Page later={Later} onCommit={onCommit} />, {
      onRecoverableError: (error) => problems.push(error),
    });
    cleanups.push(() => close(root));
    await pass();
    expect(commits.slice(0, 2)).toMatchObject([
      ["idle: ", "undefined", "idle: "],
      ["connecting: Hel", expect.any(String), "idle: "],
    ]);
    // The newest answer of the chat is the one that this tab knows of: nobody was asked yet.
    expect(commits.at(-1)).toEqual(["connecting: Hel", STREAM_ID, "idle: "]);

    // What hydrates later began as the server rendered it, however far the others are.
    release();
    source.write({ type: "text-delta", path: [0], textDelta: "lo" });
    await pass();
    expect([shown("answer"), shown("later")]).toEqual(["streaming: Hello", "idle: "]);
    come();
    await pass();
    expect([shown("answer"), shown("later")]).toEqual(["streaming: Hello", "streaming: Hello"]);
    expect([...main.querySelectorAll("p")]).toEqual([...server]);
    expect(problems).toEqual([]);
    expect(
      harness.requests.filter((request) => request.startsWith(`GET ${ENDPOINT}/${STREAM_ID}`)),
    ).toHaveLength(1);
  });
});

describe("a page that is rendered in the browser", () => {
  it("has its checkpoint in its first paint", async () => {
    await openTab();
    await readAndLeave();
    holdNetwork();
    const { Later, come } = comingLater();
    come();
    const commits: (string | null)[][] = [];
    const root = react.createRoot(addMain(""));
    cleanups.push(() => close(root));
    root.render(<Page later={Later} onCommit={() => commits.push([shown("answer"), shown("active")])} />);
    await settle();
    expect(commits[0]).toEqual(["idle: Hel", STREAM_ID]);
    expect(commits.at(-1)).toEqual(["connecting: Hel", STREAM_ID]);
    expect(problems).toEqual([]);
  });
});
