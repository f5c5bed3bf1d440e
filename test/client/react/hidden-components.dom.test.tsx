/** Components that React hides and shows again, which it has done since 19.2. */
import { Activity, type ReactNode } from "react";
import { describe, expect } from "vitest";
import { Answer, shown } from "../../support/answer.tsx";
import { pass } from "../../support/fake-time.ts";
import { it } from "../../support/stream-app.tsx";

/** Milliseconds for which a session is kept that nobody looks at. */
const LINGER_MS = 5_000;

describe("a component that was hidden", () => {
  it("that is shown again shares the session of those that came meanwhile", async ({ app }) => {
    await app.startElsewhere("s");
    const panel = (mode: "visible" | "hidden", other: ReactNode = null): ReactNode =>
      app.wrap([
        <Activity key="panel" mode={mode}>
          <Answer id="s" name="first" />
        </Activity>,
        other,
      ]);
    const page = app.load(null);
    page.rerender(panel("visible"));
    await app.says("Hel");
    page.rerender(panel("hidden"));
    await pass(LINGER_MS + 100);
    expect(app.network.connections()).toBe(0);
    const second = <Answer key="b" id="s" name="second" />;
    page.rerender(panel("hidden", second));
    await pass();
    page.rerender(panel("visible", second));
    await app.says("lo");
    expect(app.network.connections()).toBe(1);
    expect(shown("first")).toEqual(shown("second"));
    expect(shown("first").text).toBe("Hello");
  });
});
