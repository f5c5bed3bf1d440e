/** An app's own key for a stream: 1 to 256 bytes, whatever they spell. */
import { describe, expect, it } from "vitest";
import { createInMemoryResumableStreamStore, createResumableStreamContext } from "../../src/server/index.ts";
import { scriptedSource } from "../support/scripted-source.ts";
import { textProtocol } from "../support/text-protocol.ts";

function setUp() {
  const context = createResumableStreamContext({ store: createInMemoryResumableStreamStore() });
  const source = scriptedSource();
  const run = (thread: string) =>
    context.run("s", source.make, { protocol: textProtocol, owner: null, thread });
  return { context, source, run };
}

describe("a thread key", () => {
  it.each([
    ["of one byte", "k"],
    ["of 256 bytes", "k".repeat(256)],
    ["of 256 bytes in 128 characters", "é".repeat(128)],
    ["of 256 bytes in 64 characters, of two units each", "👩".repeat(64)],
  ])("%s is one", async (_what, thread) => {
    const { context, run } = setUp();
    await (await run(thread)).cancel();
    expect(await context.find(thread)).toMatchObject({ streamId: "s", record: { status: "streaming" } });
    await context.close();
  });

  it.each([
    ["that is empty", ""],
    ["of 257 bytes", "k".repeat(257)],
    ["of 257 bytes in 129 characters", `${"é".repeat(128)}k`],
    ["of 257 bytes in 65 characters", `${"👩".repeat(64)}k`],
  ])("%s is none: nothing is started, nothing is found", async (_what, thread) => {
    const { context, source, run } = setUp();
    await expect(run(thread)).rejects.toMatchObject({ code: "invalid-request" });
    await expect(context.find(thread)).rejects.toMatchObject({ code: "invalid-request" });
    expect(source.starts()).toBe(0);
    expect(await context.status("s")).toBe("missing");
  });
});
