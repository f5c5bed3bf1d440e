/** An app in React Native: TanStack's managers are set up as its guide says, and nothing else tells of the network. */
import { focusManager, onlineManager } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import { describe, expect, vi } from "vitest";
import { Answer, shown } from "../../support/answer.tsx";
import { laterCheckpoints } from "../../support/later-checkpoints.ts";
import { pass } from "../../support/fake-time.ts";
import { it } from "../../support/stream-app.tsx";

/** What `NetInfo` and `AppState` call when something changes. */
function setUpManagers(): { setOnline(isOnline: boolean): void; setActive(isActive: boolean): void } {
  let tellOnline: (isOnline: boolean) => void = () => {};
  onlineManager.setEventListener((setOnline) => {
    tellOnline = setOnline;
    return () => {};
  });
  // The page of these tests tells of itself; a device's has no such words.
  for (const target of [window, document]) vi.spyOn(target, "addEventListener").mockImplementation(() => {});
  return {
    setOnline: (isOnline) => act(() => tellOnline(isOnline)),
    setActive: (isActive) => act(() => focusManager.setFocused(isActive)),
  };
}

describe("an app in React Native", () => {
  it("lets its connection go when NetInfo says so, and takes it up at once when it is back", async ({
    app,
  }) => {
    const device = setUpManagers();
    await app.startElsewhere("s");
    app.load(<Answer id="s" />);
    await app.says("Hel");
    device.setOnline(false);
    await app.says("lo");
    expect(shown()).toMatchObject({ text: "Hel", status: "offline" });
    expect(app.network.connections()).toBe(0);
    device.setOnline(true);
    await app.finishes("!");
    expect(shown()).toMatchObject({ text: "Hello!", status: "done" });
    expect(app.network.requests).toHaveLength(2);
  });

  it("does not wait for its next attempt when the app is active again", async ({ app }) => {
    const device = setUpManagers();
    await app.startElsewhere("s");
    app.network.carry = async () => new Response(null, { status: 503, headers: { "retry-after": "600" } });
    app.load(<Answer id="s" />);
    device.setActive(false);
    await pass();
    expect(shown()).toMatchObject({ status: "reconnecting", attempt: 1 });
    app.network.carry = (_request, next) => next();
    device.setActive(true);
    await app.says("Hello");
    expect(shown()).toMatchObject({ text: "Hello", status: "streaming", attempt: 0 });
  });

  it("goes on where it was when it is opened again, from a store like AsyncStorage", async ({ app }) => {
    const device = setUpManagers();
    const checkpoints = laterCheckpoints();
    await app.startElsewhere("s");
    app.load(<Answer id="s" />, { checkpoints });
    await app.says("Hel");
    device.setActive(false);
    await pass();
    app.crash();
    app.load(<Answer id="s" />, { checkpoints });
    await app.finishes("lo");
    expect(shown()).toMatchObject({ text: "Hello", status: "done" });
    expect(app.network.received[1]).not.toContain("Hel");
  });
});
