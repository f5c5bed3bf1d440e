/** When what is known is shown. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createCommitSchedule } from "../../src/client/commit-schedule.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A schedule, and when it committed, in milliseconds from now. */
function watch() {
  const start = Date.now();
  const commits: number[] = [];
  return { commits, schedule: createCommitSchedule(() => commits.push(Date.now() - start)) };
}

/** A page that has frames when the test says so. */
function framesOfAPage() {
  const callbacks = new Map<number, () => void>();
  let last = 0;
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => {
    callbacks.set((last += 1), callback);
    return last;
  });
  vi.stubGlobal("cancelAnimationFrame", (frame: number) => callbacks.delete(frame));
  return {
    waiting: () => callbacks.size,
    next() {
      const due = [...callbacks.values()];
      callbacks.clear();
      for (const callback of due) callback();
    },
  };
}

describe("a commit with the next frame", () => {
  it("comes once for all that ask for it", () => {
    const frames = framesOfAPage();
    const { schedule, commits } = watch();
    for (let event = 0; event < 5; event += 1) schedule.frame();
    expect(commits).toEqual([]);
    frames.next();
    expect(commits).toEqual([0]);
    vi.advanceTimersByTime(1_000);
    expect(commits).toEqual([0]);
    schedule.frame();
    frames.next();
    expect(commits).toEqual([0, 1_000]);
  });

  it("comes after 16 ms where there are no frames", () => {
    const { schedule, commits } = watch();
    schedule.frame();
    schedule.frame();
    vi.advanceTimersByTime(1_000);
    expect(commits).toEqual([16]);
  });

  it("comes after 100 ms where frames do not come, as in a hidden tab, and no frame is left waiting", () => {
    const frames = framesOfAPage();
    const { schedule, commits } = watch();
    schedule.frame();
    vi.advanceTimersByTime(1_000);
    expect(commits).toEqual([100]);
    expect(frames.waiting()).toBe(0);
  });
});

describe("a commit of a replay", () => {
  it("comes every 250 ms while it is asked for", () => {
    const { schedule, commits } = watch();
    for (let ms = 0; ms < 1_000; ms += 10) {
      schedule.replay();
      vi.advanceTimersByTime(10);
    }
    expect(commits).toEqual([250, 500, 750, 1_000]);
  });

  it("gives way to a frame that comes sooner", () => {
    const frames = framesOfAPage();
    const { schedule, commits } = watch();
    schedule.replay();
    vi.advanceTimersByTime(50);
    schedule.frame();
    schedule.replay();
    frames.next();
    vi.advanceTimersByTime(1_000);
    expect(commits).toEqual([50]);
  });
});

describe("a commit now", () => {
  it("comes at once, in place of whatever was planned", () => {
    const frames = framesOfAPage();
    const { schedule, commits } = watch();
    schedule.replay();
    schedule.now();
    schedule.frame();
    schedule.now();
    expect(commits).toEqual([0, 0]);
    frames.next();
    vi.advanceTimersByTime(1_000);
    expect(commits).toEqual([0, 0]);
    expect(frames.waiting()).toBe(0);
  });
});
