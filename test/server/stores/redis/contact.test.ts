import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createContact } from "../../../../src/server/stores/redis/contact.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const LEASE_MS = 10_000;

describe("a contact to Redis", () => {
  it("gives the right to declare a producer lost after a lease's time without a break", async () => {
    const contact = createContact();
    expect(contact.patienceMs(LEASE_MS)).toBe(LEASE_MS);
    contact.begin();
    await vi.advanceTimersByTimeAsync(LEASE_MS - 1);
    expect(contact.patienceMs(LEASE_MS)).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(contact.patienceMs(LEASE_MS)).toBe(0);
    contact.interrupt();
    expect(contact.patienceMs(LEASE_MS)).toBe(LEASE_MS);
    contact.end();
    expect(contact.patienceMs(LEASE_MS)).toBe(LEASE_MS);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("begins anew when the machine has slept: one clock went on, the other stood still", async () => {
    const contact = createContact();
    contact.begin();
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    vi.setSystemTime(Date.now() + 60_000);
    expect(contact.patienceMs(LEASE_MS)).toBe(LEASE_MS);
  });

  it("begins anew when the process has stood still: its clocks went on without it", async () => {
    const contact = createContact();
    contact.begin();
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    const [nowMs, wallMs] = [performance.now(), Date.now()];
    vi.spyOn(performance, "now").mockReturnValue(nowMs + 60_000);
    vi.spyOn(Date, "now").mockReturnValue(wallMs + 60_000);
    expect(contact.patienceMs(LEASE_MS)).toBe(LEASE_MS);
  });

  it("begins anew also where it is asked only long after that", async () => {
    const contact = createContact();
    contact.begin();
    vi.setSystemTime(Date.now() + 60_000);
    await vi.advanceTimersByTimeAsync(LEASE_MS - 1_000);
    expect(contact.patienceMs(LEASE_MS)).toBeGreaterThan(0);
  });
});
