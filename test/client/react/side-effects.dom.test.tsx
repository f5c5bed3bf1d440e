/** `onEvent`: side effects happen at most once for an event, over the life of the tab. */
import type { ReactNode } from "react";
import { describe, expect } from "vitest";
import type { StreamEventListener } from "../../../src/index.ts";
import { Answer } from "../../support/answer.tsx";
import { pass } from "../../support/fake-time.ts";
import { it } from "../../support/stream-app.tsx";

/** Notes the texts of an answer, and which of them are not live. */
function listening(): { readonly calls: string[]; readonly onEvent: StreamEventListener } {
  const calls: string[] = [];
  return {
    calls,
    onEvent(payload, { replayed }) {
      const { type, textDelta } = JSON.parse(payload);
      if (type === "text-delta") calls.push(replayed ? `${textDelta} (replayed)` : textDelta);
    },
  };
}

describe("onEvent", () => {
  it("is called for each event, in order, and told which were there before", async ({ app }) => {
    const { calls, onEvent } = listening();
    await app.startElsewhere("s");
    await app.says("one");
    app.load(<Answer id="s" onEvent={onEvent} />);
    await pass();
    await app.says("two");
    await app.says("three");
    expect(calls).toEqual(["one (replayed)", "two", "three"]);
  });

  it("is not called again after a cut, a short absence, or a reload", async ({ app }) => {
    const { calls, onEvent } = listening();
    await app.startElsewhere("s");
    // An inline listener, as most are: another one with each render.
    const answer = (): ReactNode => <Answer id="s" onEvent={(...event) => onEvent(...event)} />;
    const page = app.load(answer());
    await app.says("one");
    app.network.cut();
    await app.says("two");
    page.rerender(app.wrap(null));
    page.rerender(app.wrap(answer()));
    await app.says("three");
    app.leave();
    app.load(<Answer id="s" onEvent={onEvent} />);
    await app.finishes("four");
    expect(calls.map((call) => call.replace(" (replayed)", ""))).toEqual(["one", "two", "three", "four"]);
  });

  it("is not called again where the checkpoint was lost and the answer is read from its start", async ({
    app,
  }) => {
    const { calls, onEvent } = listening();
    await app.startElsewhere("s");
    app.load(<Answer id="s" onEvent={onEvent} />);
    await app.says("one");
    app.leave();
    for (const key of Object.keys(sessionStorage))
      if (key.includes(":stream:")) sessionStorage.removeItem(key);
    app.load(<Answer id="s" onEvent={onEvent} />);
    await app.says("two");
    expect(app.network.received[1]).toContain("one");
    expect(calls.map((call) => call.replace(" (replayed)", ""))).toEqual(["one", "two"]);
  });

  it("that a crash cut short is not called again: at most once", async ({ app }) => {
    const { calls, onEvent } = listening();
    let stored = {};
    await app.startElsewhere("s");
    app.load(
      <Answer
        id="s"
        onEvent={(...event) => {
          onEvent(...event);
          stored = { ...sessionStorage };
        }}
      />,
    );
    await app.says("one");
    app.crash();
    // What was there in the middle of the last call.
    sessionStorage.clear();
    Object.assign(sessionStorage, stored);
    app.load(<Answer id="s" onEvent={onEvent} />);
    await app.says("two");
    expect(app.network.received[1]).toContain("one");
    expect(calls.map((call) => call.replace(" (replayed)", ""))).toEqual(["one", "two"]);
  });

  it("is called for an event of another run under the same id", async ({ app }) => {
    const { calls, onEvent } = listening();
    await app.startElsewhere("s");
    app.load(<Answer id="s" onEvent={onEvent} />);
    await app.says("one");
    app.leave();
    await app.context.delete("s");
    await app.startElsewhere("s");
    app.load(<Answer id="s" onEvent={onEvent} />);
    await app.says("one");
    expect(calls.map((call) => call.replace(" (replayed)", ""))).toEqual(["one", "one"]);
  });

  it("has its mark stored, and where there is none, nothing is", async ({ app }) => {
    const marks = (): string[] => Object.keys(sessionStorage).filter((key) => key.includes(":mark:"));
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("one");
    app.leave();
    expect(Object.keys(sessionStorage)).toHaveLength(1);
    expect(marks()).toEqual([]);
    app.load(<Answer id="s" onEvent={listening().onEvent} />);
    await app.says("two");
    expect(marks()).toHaveLength(1);
  });

  it("is the one of the latest render", async ({ app }) => {
    const [first, second] = [listening(), listening()];
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" onEvent={first.onEvent} />);
    await pass();
    await app.says("one");
    page.rerender(app.wrap(<Answer id="s" onEvent={second.onEvent} />));
    await app.says("two");
    expect([first.calls, second.calls]).toEqual([["one"], ["two"]]);
    expect(app.network.requests).toHaveLength(1);
  });

  it("that two components share is called for each, until that one leaves", async ({ app }) => {
    const { calls, onEvent } = listening();
    await app.startElsewhere("s");
    const first = <Answer key="a" id="s" name="first" onEvent={onEvent} />;
    const page = app.load([first, <Answer key="b" id="s" name="second" onEvent={onEvent} />]);
    await pass();
    await app.says("one");
    page.rerender(app.wrap([first]));
    await app.says("two");
    expect(calls).toEqual(["one", "one", "two"]);
  });

  it("of each component is called", async ({ app }) => {
    const [first, second] = [listening(), listening()];
    await app.startElsewhere("s");
    app.load([
      <Answer key="a" id="s" name="first" onEvent={first.onEvent} />,
      <Answer key="b" id="s" name="second" onEvent={second.onEvent} />,
    ]);
    await pass();
    await app.says("one");
    expect([first.calls, second.calls]).toEqual([["one"], ["one"]]);
  });
});
