/** Whatever happens to the connection, the answer goes on: nothing is lost, nothing is there twice. */
import { focusManager, onlineManager } from "@tanstack/react-query";
import { act, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect } from "vitest";
import { ResumableStreamProvider } from "../../../src/index.ts";
import { Answer, shown } from "../../support/answer.tsx";
import { FRAME_MS, pass, settle } from "../../support/fake-time.ts";
import { comeBack, leavePage, setOnline, setVisible, sleep } from "../../support/page-signals.ts";
import { ENDPOINT, HEARTBEAT_MS, it } from "../../support/stream-app.tsx";

/** The longest pause before the first attempt after a failure. */
const FIRST_PAUSE_MS = 250;

/** What browsers call a request that did not reach its server, or a response that broke off. */
const WORDS = [
  ["Chromium", "Failed to fetch"],
  ["Chromium, in the middle", "network error"],
  ["Safari", "Load failed"],
  ["Safari, in the middle", "The network connection was lost."],
  ["Firefox", "NetworkError when attempting to fetch resource."],
] as const;

describe("a connection that is cut", () => {
  it("is taken up again at once, from where it was", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.cut();
    await pass();
    expect(shown()).toMatchObject({ text: "Hel", status: "streaming", attempt: 0, error: null });
    expect(app.network.requests).toHaveLength(2);
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.received[1]).not.toContain("Hel");
  });

  it("by a proxy that has had enough after a minute is taken up again, as often as that is", async ({
    app,
  }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("H");
    for (const text of ["e", "l", "l", "o"]) {
      await pass(60_000);
      app.network.close();
      await app.says(text);
    }
    await app.finishes();
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.requests).toHaveLength(5);
  });

  it.for(WORDS)("in the words of %s is a cut: %s", async ([, words], { app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.cut(new TypeError(words));
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done", error: null });
  });

  it.for(WORDS)("before it was there, in the words of %s, is tried again: %s", async ([, words], { app }) => {
    let isBroken = true;
    await app.startElsewhere("s");
    app.load(<Answer id="s" />, {
      fetch: async (...request) => {
        if (isBroken) throw new TypeError(words);
        return app.fetch(...request);
      },
    });
    await pass();
    const error = { code: "network", message: "The connection was lost." };
    expect(shown()).toMatchObject({ status: "reconnecting", attempt: 1, error });
    isBroken = false;
    await pass(FIRST_PAUSE_MS);
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "done", attempt: 0, error: null });
  });
});

describe("a connection that falls silent", () => {
  it("for three announced heartbeats is taken for cut", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.stall();
    await pass(3 * HEARTBEAT_MS - 2 * FRAME_MS);
    expect(app.network.requests).toHaveLength(1);
    await pass(2 * FRAME_MS);
    expect(app.network.requests).toHaveLength(2);
    expect(app.network.connections()).toBe(1);
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it("but for heartbeats is kept, however long the model thinks", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    await pass(10 * 60_000);
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.requests).toHaveLength(1);
  });

  it("before it answers is given up after 20 seconds, and tried again", async ({ app }) => {
    await app.startElsewhere("s");
    const release = app.network.hold();
    app.load(<Answer id="s" />);
    await pass(20_000 - FRAME_MS);
    expect(shown()).toMatchObject({ status: "connecting", attempt: 0 });
    expect(app.network.requests).toHaveLength(1);
    await pass(FRAME_MS);
    expect(shown()).toMatchObject({ status: "reconnecting", attempt: 1, error: { code: "network" } });
    release();
    await pass(FIRST_PAUSE_MS);
    await app.finishes("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.requests).toHaveLength(2);
  });
});

describe("a page without a network", () => {
  it("that was opened so asks nothing until there is one, and then once", async ({ app }) => {
    await app.startElsewhere("s");
    setOnline(false, { silently: true });
    app.load(<Answer id="s" />);
    await pass(60_000);
    expect(shown().status).toBe("offline");
    expect(app.network.requests).toEqual([]);
    setOnline(true);
    await app.says("Hel");
    expect(shown()).toMatchObject({ text: "Hel", status: "streaming" });
    expect(app.network.requests).toHaveLength(1);
  });

  it("says so, keeps what was read, and goes on at once when it is back", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    setOnline(false);
    await settle();
    expect(app.network.connections()).toBe(0);
    await app.says("lo");
    expect(shown()).toMatchObject({ text: "Hel", status: "offline" });
    setOnline(true);
    await pass();
    expect(shown()).toMatchObject({ text: "Hello", status: "streaming" });
    expect(app.network.requests).toHaveLength(2);
  });

  it("while no component was there has one again for those that come later, also without a QueryClient", async ({
    app,
  }) => {
    const inApp = (children: ReactNode): ReactNode => (
      <ResumableStreamProvider endpoint={ENDPOINT} fetch={app.fetch}>
        {children}
      </ResumableStreamProvider>
    );
    await app.startElsewhere("s");
    const page = render(inApp(<Answer id="s" />));
    await app.says("Hel");
    setOnline(false);
    page.rerender(inApp(null));
    await pass(5_000);
    setOnline(true);
    page.rerender(inApp(<Answer id="s" />));
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it("is what TanStack's manager says that it is", async ({ app }) => {
    await app.startElsewhere("s");
    onlineManager.setOnline(false);
    app.load(<Answer id="s" />);
    await pass(60_000);
    expect(shown().status).toBe("offline");
    expect(app.network.requests).toEqual([]);
    act(() => onlineManager.setOnline(true));
    await app.says("Hel");
    expect(shown()).toMatchObject({ text: "Hel", status: "streaming" });
    act(() => onlineManager.setOnline(false));
    expect(shown()).toMatchObject({ text: "Hel", status: "offline" });
    act(() => onlineManager.setOnline(true));
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.requests).toHaveLength(2);
  });
});

describe("a page that is left and shown again", () => {
  it("lets its connection go meanwhile, and takes it up at once", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    leavePage();
    await settle();
    expect(app.network.connections()).toBe(0);
    await app.says("lo");
    expect(shown()).toMatchObject({ text: "Hel", status: "reconnecting", nextRetryAt: null });
    await pass(60_000);
    expect(app.network.requests).toHaveLength(1);
    comeBack();
    await pass();
    expect(shown()).toMatchObject({ text: "Hello", status: "streaming" });
    expect(app.network.requests).toHaveLength(2);
  });

  it("keeps its connection while only its tab is hidden", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    setVisible(false);
    await app.says("lo");
    setVisible(true);
    await app.finishes("!");
    expect(shown()).toMatchObject({ text: "Hello!", status: "done" });
    expect(app.network.requests).toHaveLength(1);
  });

  it("notices at once that it slept through a cut", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.stall();
    setVisible(false);
    sleep(60 * 60_000);
    setVisible(true);
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.requests).toHaveLength(2);
  });

  it.for([
    ["its tab is looked at", () => [setVisible(false), setVisible(true)]],
    [
      "TanStack's manager says that it is in focus",
      () => [focusManager.setFocused(false), focusManager.setFocused(true)],
    ],
    ["the network is back", () => setOnline(true)],
  ] as const)("does not wait for its next attempt when %s", async ([, sign], { app }) => {
    await app.startElsewhere("s");
    app.network.carry = async () => new Response(null, { status: 503, headers: { "retry-after": "600" } });
    app.load(<Answer id="s" />);
    await pass();
    expect(shown()).toMatchObject({ status: "reconnecting", attempt: 1 });
    app.network.carry = (_request, next) => next();
    act(() => void sign());
    await app.says("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "streaming", attempt: 0 });
    expect(app.network.requests).toHaveLength(2);
  });
});
