/** Checkpoints in a storage as browsers have it: bounded, sometimes full, sometimes blocked, and shared with the app. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkpointKey, type CheckpointStore } from "../../../src/client/checkpoints/checkpoint-store.ts";
import {
  sessionStorageCheckpoints,
  type SessionStorageCheckpointsOptions,
} from "../../../src/client/checkpoints/session-storage.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A storage that holds so many UTF-16 units, keys and all, and lists them in an order of its own. */
class BoundedStorage implements Storage {
  readonly #values = new Map<string, string>();
  quota: number;

  constructor(quota = Infinity) {
    this.quota = quota;
  }
  get length(): number {
    return this.#values.size;
  }
  get units(): number {
    return [...this.#values].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  }
  key(index: number): string | null {
    return [...this.#values.keys()].toSorted()[index] ?? null;
  }
  getItem(key: string): string | null {
    return this.#values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    const before = this.#values.get(key);
    const others = this.units - (before === undefined ? 0 : key.length + before.length);
    if (others + key.length + value.length > this.quota)
      throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
    this.#values.set(key, value);
  }
  removeItem(key: string): void {
    this.#values.delete(key);
  }
  clear(): void {
    this.#values.clear();
  }
}

const storeOn = (storage: Storage, options: SessionStorageCheckpointsOptions = {}) =>
  sessionStorageCheckpoints({ storage: () => storage, ...options });
const key = (id: string, scope = ""): string => checkpointKey(scope, "/api/streams", "stream", id);
const long = (length: number): string => "x".repeat(length);

describe("a checkpoint", () => {
  it("is there after a reload, whatever characters it has", () => {
    const storage = new BoundedStorage();
    storeOn(storage).set(key("a"), "1|text|😀|{}");
    expect(storeOn(storage).get(key("a"))).toBe("1|text|😀|{}");
    expect(storeOn(storage).get(key("b"))).toBeNull();
  });

  it("of 256 K is stored; a longer one is not, and the older one goes", () => {
    const storage = new BoundedStorage();
    const store = storeOn(storage);
    store.set(key("a"), long(256 * 1024));
    expect(store.get(key("a"))).toHaveLength(256 * 1024);
    store.set(key("a"), long(256 * 1024 + 1));
    expect(store.get(key("a"))).toBeNull();
    expect(storage.length).toBe(0);
  });

  it("takes the place of the one before, in the count too", () => {
    const storage = new BoundedStorage();
    const store = storeOn(storage);
    store.set(key("other"), "kept");
    for (let turn = 0; turn < 100; turn += 1) store.set(key("a"), long(200_000));
    expect(store.get(key("other"))).toBe("kept");
  });
});

describe("all checkpoints together", () => {
  it("are 1.5 M at most: the one that was written longest ago goes first", () => {
    const storage = new BoundedStorage();
    const store = storeOn(storage);
    const ids = ["a", "b", "c", "d", "e", "f", "g"];
    for (const id of ids) store.set(key(id), long(210_000));
    expect(ids.filter((id) => store.get(key(id)) === null)).toEqual([]);
    // To be written again is to be young again.
    store.set(key("a"), long(210_000));
    store.set(key("h"), long(210_000));
    expect([...ids, "h"].filter((id) => store.get(key(id)) === null)).toEqual(["b"]);
    expect(storage.units).toBeLessThan(1_500_000);
  });

  it("are known by their age also after a reload", () => {
    const storage = new BoundedStorage();
    for (const id of ["c", "a", "b"]) {
      vi.advanceTimersByTime(1);
      storeOn(storage, { maxTotalLength: 300 }).set(key(id), long(80));
    }
    storeOn(storage, { maxTotalLength: 300 }).set(key("d"), long(80));
    expect(["a", "b", "c", "d"].filter((id) => storeOn(storage).get(key(id)) !== null)).toEqual([
      "a",
      "b",
      "d",
    ]);
  });

  it("spare marks and names, which would free nothing", () => {
    const storage = new BoundedStorage();
    const store = storeOn(storage);
    const mark = checkpointKey("", "/api/streams", "mark", "a");
    store.set(mark, "000000001-gen.1");
    for (let id = 0; id < 20; id += 1) store.set(key(String(id)), long(250_000));
    expect(store.get(mark)).toBe("000000001-gen.1");
  });

  it("are bounded also where there are only short ones", () => {
    const storage = new BoundedStorage();
    const store = storeOn(storage, { maxTotalLength: 10_000 });
    for (let id = 0; id < 1_000; id += 1) store.set(key(String(id)), long(100));
    expect(storage.length).toBeLessThan(100);
    expect(store.get(key("999"))).toHaveLength(100);
  });
});

describe("a storage that tabs share, or that the app clears", () => {
  it("is bounded for all of them together", () => {
    const storage = new BoundedStorage();
    const tabs = [storeOn(storage, { maxTotalLength: 1_000 }), storeOn(storage, { maxTotalLength: 1_000 })];
    for (let id = 0; id < 20; id += 1) tabs[id % 2]?.set(key(String(id)), long(200));
    const { length } = Array.from(
      { length: 20 },
      (_, id) => storeOn(storage).get(key(String(id))) ?? "",
    ).join("");
    expect(length).toBe(800);
  });

  it.each([
    ["is cleared", (store: CheckpointStore) => store.clear()],
    ["is left to another scope", (store: CheckpointStore) => store.retainScope("eve")],
  ] as const)("has nothing left of the other tab's checkpoints when it %s", (_how, forget) => {
    const storage = new BoundedStorage();
    const [one, other] = [storeOn(storage), storeOn(storage)];
    one.set(key("a", "ada"), "Ada's");
    other.set(key("b", "ada"), "Ada's too");
    forget(one);
    expect(storage.length).toBe(0);
  });

  it("has nothing left of what the app itself has cleared", () => {
    const storage = new BoundedStorage();
    const store = storeOn(storage);
    store.set(key("a"), "Ada's");
    storage.clear();
    expect(store.get(key("a"))).toBeNull();
  });
});

describe("a storage that is full", () => {
  it("of old checkpoints takes the new one in their place", () => {
    const storage = new BoundedStorage(1_000);
    const store = storeOn(storage);
    for (const id of ["a", "b", "c"]) store.set(key(id), long(400));
    expect(store.get(key("c"))).toHaveLength(400);
    expect(storeOn(storage).get(key("c"))).toHaveLength(400);
  });

  it("of other things leaves memory, and is used again when there is room", () => {
    const storage = new BoundedStorage();
    const store = storeOn(storage);
    store.set(key("before"), "stored");
    storage.quota = 0;
    store.set(key("a"), "only here");
    store.set(key("a"), "only here, again");
    expect(store.get(key("a"))).toBe("only here, again");
    expect(storeOn(storage).get(key("a"))).toBeNull();
    storage.quota = Infinity;
    store.set(key("a"), "stored again");
    expect(storeOn(storage).get(key("a"))).toBe("stored again");
    expect(store.get(key("a"))).toBe("stored again");
  });
});

describe("a storage that is blocked", () => {
  it("leaves memory", () => {
    const store = sessionStorageCheckpoints({
      storage: () => {
        throw new DOMException("Blocked.", "SecurityError");
      },
    });
    expect(store.get(key("a"))).toBeNull();
    store.set(key("a"), "only here");
    expect(store.get(key("a"))).toBe("only here");
    store.retainScope("eve");
    expect(store.get(key("a"))).toBeNull();
    store.set(key("b", "eve"), "only here");
    store.delete(key("b", "eve"));
    expect(store.get(key("b", "eve"))).toBeNull();
    store.clear();
  });
});

describe("forgetting", () => {
  it("another scope leaves what is of this one, and what is the app's", () => {
    const storage = new BoundedStorage();
    storage.setItem("app", "its own");
    storeOn(storage).set(key("a", "ada"), "Ada's");
    storeOn(storage).set(key("a", "adam"), "Adam's");
    const store = storeOn(storage);
    store.retainScope("ada");
    expect([store.get(key("a", "ada")), store.get(key("a", "adam"))]).toEqual(["Ada's", null]);
    expect(storage.getItem("app")).toBe("its own");
  });

  it("everything leaves what is the app's", () => {
    const storage = new BoundedStorage();
    storage.setItem("app", "its own");
    storeOn(storage).set(key("a", "ada"), "Ada's");
    storeOn(storage).clear();
    expect(storage.length).toBe(1);
    expect(storage.getItem("app")).toBe("its own");
  });

  it("one leaves the others", () => {
    const store = storeOn(new BoundedStorage());
    store.set(key("a"), "a");
    store.set(key("b"), "b");
    store.delete(key("a"));
    expect([store.get(key("a")), store.get(key("b"))]).toEqual([null, "b"]);
  });
});
