/** What a tab keeps of an answer: a reload takes up where it was. */
import { focusManager } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import { describe, expect, vi } from "vitest";
import { clearCheckpoints, type CheckpointStore } from "../../../src/index.ts";
import { Answer, shown } from "../../support/answer.tsx";
import { pass, settle } from "../../support/fake-time.ts";
import { it, type StreamApp } from "../../support/stream-app.tsx";

/** Reads "Hel" of an answer, and leaves. */
async function readAndLeave(app: StreamApp): Promise<void> {
  await app.startElsewhere("s");
  app.load(<Answer id="s" />);
  await app.says("Hel");
  app.leave();
}

/** Reads an answer to its end, and leaves. */
async function finishAndLeave(app: StreamApp): Promise<void> {
  await app.startElsewhere("s");
  app.load(<Answer id="s" />);
  await app.finishes("Hello");
  app.leave();
}

/** The position from which the newest request asked. */
const cursorOf = (app: StreamApp): string | null =>
  new URL(app.network.sent.at(-1)?.url ?? "").searchParams.get("cursor");

describe("a reload in the middle", () => {
  it("shows what was read in its first paint, while the network answers nothing", async ({ app }) => {
    await readAndLeave(app);
    const release = app.network.hold();
    app.load(<Answer id="s" />);
    expect(shown()).toMatchObject({ text: "Hel", status: "connecting" });
    await pass(10_000);
    expect(shown()).toMatchObject({ text: "Hel", status: "connecting" });
    release();
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it("is sent what came after, and nothing else", async ({ app }) => {
    await readAndLeave(app);
    app.load(<Answer id="s" />);
    await app.finishes("lo");
    const payloads = (app.network.received[1] ?? "")
      .split("\n")
      .filter((line) => line.startsWith('data: {"type"'));
    expect(payloads.map((line) => JSON.parse(line.slice(6)).type)).toEqual(["text-delta", "message-finish"]);
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it("of a page that had no time to say goodbye loses a second of reading at most, and reads it again", async ({
    app,
  }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    await pass(1_000);
    await app.says("lo");
    app.crash();
    app.load(<Answer id="s" />);
    expect(shown().text).toBe("Hel");
    await app.finishes("!");
    expect(shown()).toMatchObject({ text: "Hello!", status: "done" });
  });
});

describe("a finished answer", () => {
  it("is shown after a reload without a request", async ({ app }) => {
    await finishAndLeave(app);
    const before = app.network.requests.length;
    app.load(<Answer id="s" />);
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    await pass(60_000);
    expect(app.network.requests).toHaveLength(before);
  });

  it("that went wrong for good says so after a reload too", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.source.fail(new Error("secret"));
    await pass();
    const error = { code: "source-failed", message: "The answer could not be completed." };
    expect(shown()).toMatchObject({ text: "Hel", status: "error", error });
    app.leave();
    app.load(<Answer id="s" />);
    expect(shown()).toMatchObject({ text: "Hel", status: "error", error });
    await pass(60_000);
    expect(app.network.requests).toHaveLength(1);
  });

  it("is forgotten when the user signs out", async ({ app }) => {
    await finishAndLeave(app);
    clearCheckpoints();
    app.load(<Answer id="s" />);
    expect(shown()).toMatchObject({ text: "", status: "connecting" });
  });
});

describe("a checkpoint", () => {
  it.for([
    ["that is cut off", (text: string) => text.slice(0, -20)],
    ["that is no checkpoint", () => "hello"],
    ["of another format", (text: string) => text.replace("|1|assistant-stream|", "|0|assistant-stream|")],
    ["of another protocol", (text: string) => text.replace("|assistant-stream|", "|their-stream|")],
    ["of another version of its protocol", (text: string) => text.replace("stream|1|", "stream|0|")],
    [
      "whose snapshot the protocol cannot read",
      (text: string) => text.replace(/"snapshot":.*,"started/, '"snapshot":7,"started'),
    ],
  ] as const)("%s is dropped, and the answer is read from its start", async ([, damage], { app }) => {
    await readAndLeave(app);
    const key = Object.keys(sessionStorage).find((name) => name.includes(":stream:")) ?? "";
    const before = sessionStorage.getItem(key) ?? "";
    expect(damage(before)).not.toBe(before);
    sessionStorage.setItem(key, damage(before));
    app.load(<Answer id="s" />);
    expect(shown()).toMatchObject({ text: "", status: "connecting" });
    await settle();
    expect(cursorOf(app)).toBeNull();
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });

  it("of another user is dropped, and shows at no time", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />, { scope: "ada" });
    await app.finishes("Ada's");
    app.leave();
    app.network.carry = async () => new Response(null, { status: 404 });
    app.load(<Answer id="s" />, { scope: "eve" });
    expect(shown().text).toBe("");
    await pass();
    expect(shown()).toMatchObject({ text: "", status: "missing" });
    app.leave();
    // Nor is it there for her when she comes back: somebody else sat here.
    app.load(<Answer id="s" />, { scope: "ada" });
    expect(shown().text).toBe("");
  });

  it("is written once a second at most, however fast the model is", async ({ app }) => {
    await app.startElsewhere("s");
    const write = vi.spyOn(Storage.prototype, "setItem");
    app.load(<Answer id="s" />);
    for (let frame = 0; frame < 300; frame += 1) await app.says("x");
    expect(write.mock.calls.length).toBeGreaterThanOrEqual(4);
    expect(write.mock.calls.length).toBeLessThanOrEqual(5);
  });
});

describe("an app that is not looked at any more", () => {
  it("stores what it knows, by TanStack's manager too", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    const write = vi.spyOn(Storage.prototype, "setItem");
    act(() => focusManager.setFocused(false));
    expect(write).toHaveBeenCalledOnce();
  });
});

describe("a tab that may keep nothing", () => {
  it.for([
    ["blocks its storage", "getItem", "SecurityError"],
    ["has no room in its storage", "setItem", "QuotaExceededError"],
  ] as const)("because it %s shows answers all the same", async ([, method, name], { app }) => {
    vi.spyOn(Storage.prototype, method).mockImplementation(() => {
      throw new DOMException("No.", name);
    });
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    app.network.cut();
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });
});

describe("a store of the app's own", () => {
  /** One that takes its time, as AsyncStorage does. */
  function slowStore(ms: number): CheckpointStore {
    const values = new Map<string, string>();
    const later = <T,>(value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));
    return {
      get: (key) => later(values.get(key) ?? null),
      set: (key, value) => void values.set(key, value),
      delete: (key) => void values.delete(key),
      retainScope: () => {},
      clear: () => values.clear(),
    };
  }

  it("that takes its time is waited for, and then nothing is read twice", async ({ app }) => {
    const checkpoints = slowStore(100);
    await app.startElsewhere("s");
    app.load(<Answer id="s" />, { checkpoints });
    await pass(200);
    await app.says("Hel");
    app.leave();
    app.load(<Answer id="s" />, { checkpoints });
    expect(shown().text).toBe("");
    await settle();
    expect(app.network.requests).toHaveLength(1);
    await pass(100);
    expect(shown().text).toBe("Hel");
    expect(cursorOf(app)).toMatch(/\.2$/);
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
  });
});
