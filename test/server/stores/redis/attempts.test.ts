import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createAttempt } from "../../../../src/server/stores/redis/attempts.ts";
import { createContact } from "../../../../src/server/stores/redis/contact.ts";

let nowMs: number;

beforeEach(() => {
  nowMs = 0;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Lets time pass; `stoodMs` of it the process stands still, and runs its timers after that. */
async function pass(ms: number, stoodMs = 0): Promise<void> {
  nowMs += ms + stoodMs;
  await vi.advanceTimersByTimeAsync(ms);
}

const never = (): Promise<never> => new Promise(() => {});

describe("a command", () => {
  it("that has no answer in time has failed", async () => {
    const attempt = createAttempt(createContact());
    const failed = expect(attempt(never)).rejects.toMatchObject({ code: "store-unavailable" });
    await pass(3_000);
    await failed;
  });

  it("that was answered while the process stood still has not", async () => {
    const attempt = createAttempt(createContact());
    const { promise, resolve } = Promise.withResolvers<string>();
    const answered = attempt(() => promise);
    await pass(3_000, 5_000);
    resolve("here");
    expect(await answered).toBe("here");
  });

  it("that was not answered meanwhile fails soon after", async () => {
    const attempt = createAttempt(createContact());
    const failed = expect(attempt(never)).rejects.toMatchObject({ code: "store-unavailable" });
    await pass(3_000, 5_000);
    await pass(100);
    await failed;
  });

  it("that cannot even be sent has failed, and is waited for no longer", async () => {
    const attempt = createAttempt(createContact());
    const cause = new Error("The client is closed.");
    const send = (): never => {
      throw cause;
    };
    // More than may be without an answer.
    for (let time = 0; time < 1_001; time += 1)
      await expect(attempt(send)).rejects.toMatchObject({ code: "store-unavailable", cause });
    await pass(3_000);
    expect(await attempt(async () => "sent")).toBe("sent");
  });
});
