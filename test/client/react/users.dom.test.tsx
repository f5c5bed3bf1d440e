/** Who sits here: nothing is stored for somebody who has left. */
import { describe, expect, vi } from "vitest";
import { clearCheckpoints } from "../../../src/index.ts";
import { Answer, shown } from "../../support/answer.tsx";
import { pass } from "../../support/fake-time.ts";
import { comeBack, leavePage } from "../../support/page-signals.ts";
import { it } from "../../support/stream-app.tsx";

/** The store that apps have where they give none. */
const DEFAULT = { checkpoints: undefined };

describe("another user", () => {
  it("has nothing stored for the one before, be a stream shown to them or not", async ({ app }) => {
    const ada = { ...DEFAULT, scope: "ada" };
    const stored = (): string[] => Object.keys(sessionStorage).filter((key) => key.includes("ada"));
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />, ada);
    await app.says("Ada's");
    leavePage();
    expect(stored()).toHaveLength(1);
    // No stream is shown, so nobody but the provider knows of the change.
    page.rerender(app.wrap(null, { ...DEFAULT, scope: "eve" }));
    expect(stored()).toEqual([]);
    leavePage();
    expect(stored()).toEqual([]);
  });

  it("has nothing stored for the one before in a provider of their own", async ({ app }) => {
    await app.startElsewhere("s");
    const page = app.load(<Answer id="s" />, { ...DEFAULT, scope: "ada" });
    await app.says("Ada's");
    page.unmount();
    app.load(<Answer id="other" />, { ...DEFAULT, scope: "eve" });
    // The session of a component that was there just now is still open.
    leavePage();
    expect(Object.keys(sessionStorage).filter((key) => key.includes("ada"))).toEqual([]);
  });
});

describe("signing out", () => {
  it("stores nothing any more, while the answer goes on", async ({ app }) => {
    await app.startElsewhere("s");
    app.load(<Answer id="s" />, DEFAULT);
    await app.says("Hel");
    leavePage();
    expect(sessionStorage).toHaveLength(1);
    void clearCheckpoints();
    expect(sessionStorage).toHaveLength(0);
    comeBack();
    await app.says("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "streaming" });
    leavePage();
    expect(sessionStorage).toHaveLength(0);
  });

  it("forgets also what storage would not take", async ({ app }) => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
    });
    await app.startElsewhere("s");
    app.load(<Answer id="s" />, DEFAULT);
    await app.finishes("Hi");
    app.leave();
    void clearCheckpoints();
    app.network.hold();
    app.load(<Answer id="s" />, DEFAULT);
    await pass();
    expect(shown().text).toBe("");
  });
});
