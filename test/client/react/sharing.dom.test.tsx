/** Who shares a session, and for how long it is kept. */
import type { ReactNode } from "react";
import { Suspense } from "react";
import { describe, expect } from "vitest";
import { useResumableStream, useStreamClient, type StreamClient } from "../../../src/index.ts";
import { assistantStream } from "../../../src/shared/protocols/assistant-stream/index.ts";
import { Answer, press, shown } from "../../support/answer.tsx";
import { pass, settle } from "../../support/fake-time.ts";
import { it, ORIGIN } from "../../support/stream-app.tsx";

/** Milliseconds for which a session is kept that nobody looks at. */
const LINGER_MS = 5_000;

describe("components that ask for the same stream", () => {
  it("share one session and one request, and show the same", async ({ app }) => {
    await app.startElsewhere("s");
    app.load([<Answer key="a" id="s" name="first" />, <Answer key="b" id="s" name="second" />]);
    await app.says("Hel");
    expect(shown("first")).toEqual(shown("second"));
    expect(shown("first").text).toBe("Hel");
    expect(app.network.requests).toHaveLength(1);
  });

  it("share what one of them does", async ({ app }) => {
    await app.startElsewhere("s");
    app.load([<Answer key="a" id="s" name="first" />, <Answer key="b" id="s" name="second" />]);
    await app.says("Hel");
    app.network.hold();
    press("Stop", "first");
    expect(shown("second").isStopping).toBe(true);
  });

  it("find what the others have read, when they come later", async ({ app }) => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" name="first" />);
    await app.says("Hel");
    page.rerender(
      app.wrap([<Answer key="a" id="s" name="first" />, <Answer key="b" id="s" name="second" />]),
    );
    expect(shown("second")).toMatchObject({ text: "Hel", status: "streaming" });
    await pass();
    expect(app.network.requests).toHaveLength(1);
  });
});

describe("a session that nobody looks at", () => {
  it("is kept for five seconds, so that moving a component costs nothing", async ({ app }) => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />);
    await app.says("Hel");
    page.rerender(app.wrap(null));
    await pass(LINGER_MS - 100);
    await app.says("lo");
    page.rerender(app.wrap(<Answer id="s" />));
    expect(shown()).toMatchObject({ text: "Hello", status: "streaming" });
    await pass(2 * LINGER_MS);
    expect(app.network.connections()).toBe(1);
    expect(app.network.requests).toHaveLength(1);
  });

  it("is let go after that, and taken up again where it was", async ({ app }) => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />);
    await app.says("Hel");
    page.rerender(app.wrap(null));
    await pass(LINGER_MS);
    expect(app.network.connections()).toBe(0);
    await app.says("lo");
    page.rerender(app.wrap(<Answer id="s" />));
    expect(shown().text).toBe("Hel");
    await app.finishes("!");
    expect(shown()).toMatchObject({ text: "Hello!", status: "done" });
    expect(app.network.received[1]).not.toContain("Hel");
  });

  it("is kept as long as one component is left", async ({ app }) => {
    await app.startElsewhere("s");
    const page = app.load([<Answer key="a" id="s" name="first" />, <Answer key="b" id="s" name="second" />]);
    await app.says("Hel");
    page.rerender(app.wrap([<Answer key="b" id="s" name="second" />]));
    await pass(2 * LINGER_MS);
    await app.says("lo");
    expect(shown("second").text).toBe("Hello");
    expect(app.network.requests).toHaveLength(1);
  });

  it("nor ever looked at asks nothing, and is forgotten", async ({ app }) => {
    let client: StreamClient<unknown> | undefined;
    const forever = new Promise<never>(() => {});
    function Undecided(): ReactNode {
      client = useStreamClient();
      useResumableStream("s");
      throw forever;
    }
    app.load(
      <Suspense fallback="…">
        <Undecided />
      </Suspense>,
    );
    const session = client?.session("s");
    await pass(LINGER_MS + 1);
    expect(app.network.requests).toEqual([]);
    // Whoever asks for a stream makes room for it.
    client?.session("another");
    expect(client?.session("s")).not.toBe(session);
  });
});

describe("another provider's identity", () => {
  const other = { ...assistantStream, name: "other-stream" };

  it.for([
    ["endpoint", { endpoint: `${ORIGIN}/api/elsewhere` }],
    ["scope", { scope: "eve" }],
    ["protocol", { protocol: other }],
    ["version of the protocol", { protocol: { ...assistantStream, version: 2 } }],
  ] as const)("by its %s shares nothing", async ([, props], { app }) => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />);
    await app.says("Hel");
    const release = app.network.hold();
    page.rerender(app.wrap(<Answer id="s" />, props));
    expect(shown()).toMatchObject({ text: "", status: "connecting", cursor: "" });
    await settle();
    expect(app.network.connections()).toBe(0);
    expect(app.network.requests).toHaveLength(2);
    expect(new URL(app.network.sent[1]?.url ?? "").searchParams.get("cursor")).toBeNull();
    release();
  });
});
