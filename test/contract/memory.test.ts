import { createInMemoryResumableStreamStore as createTheirStore } from "assistant-stream/resumable";
import { vi } from "vitest";
import { createInMemoryResumableStreamStore } from "../../src/server/index.ts";
import {
  describeBytesStoreContract,
  describeStoreContract,
  LONG_LEASE_MS,
} from "../../src/testing/store-contract.ts";

describeStoreContract(
  "the memory store",
  async () => {
    vi.useFakeTimers();
    const store = createInMemoryResumableStreamStore();
    return {
      store,
      pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
      // The process sleeps: the clock goes on, and no timer fires.
      befall: async () => void vi.setSystemTime(Date.now() + LONG_LEASE_MS + 1),
      limited: async (limits) => createInMemoryResumableStreamStore(limits),
      async dispose() {
        store.dispose();
        vi.useRealTimers();
      },
    };
  },
  ["lapsed"],
);

describeBytesStoreContract("assistant-stream's memory store", async () => {
  vi.useFakeTimers();
  return {
    store: createTheirStore(),
    pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    dispose: async () => void vi.useRealTimers(),
  };
});
