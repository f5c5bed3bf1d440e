import { createInMemoryResumableStreamStore as createTheirStore } from "assistant-stream/resumable";
import { vi } from "vitest";
import { createInMemoryResumableStreamStore } from "../../src/server/index.ts";
import { describeBytesStoreContract, describeStoreContract } from "../../src/testing/store-contract.ts";

describeStoreContract("the memory store", async () => {
  vi.useFakeTimers();
  const store = createInMemoryResumableStreamStore();
  return {
    store,
    pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    limited: async (limits) => createInMemoryResumableStreamStore(limits),
    async dispose() {
      store.dispose();
      vi.useRealTimers();
    },
  };
});

describeBytesStoreContract("assistant-stream's memory store", async () => {
  vi.useFakeTimers();
  return {
    store: createTheirStore(),
    pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    dispose: async () => void vi.useRealTimers(),
  };
});
