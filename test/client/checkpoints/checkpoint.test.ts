/** A checkpoint's text: what is damaged, foreign or outdated is as good as none. */
import { describe, expect, it } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../../src/client/checkpoints/checkpoint.ts";
import { createHarness, STREAM_ID } from "../../support/session-harness.ts";
import { checkpointKey } from "../../../src/client/checkpoints/checkpoint-store.ts";
import { streamOf } from "../../support/streams.ts";
import { textProtocol } from "../../support/text-protocol.ts";

const snapshot = JSON.stringify({ message: { text: "stored", status: "running" }, ended: false });
const checkpoint = {
  cursor: "000000001-gen.3",
  snapshot,
  end: { status: "done" },
  started: true,
  stopping: false,
} as const;
const text = writeCheckpoint(textProtocol, checkpoint);

describe("a checkpoint's text", () => {
  it("reads as what was written", () => {
    expect(readCheckpoint(textProtocol, text)).toEqual(checkpoint);
    const early = { cursor: "", snapshot: null, end: undefined, started: true, stopping: true };
    expect(readCheckpoint(textProtocol, writeCheckpoint(textProtocol, early))).toEqual(early);
  });

  const damaged: Readonly<Record<string, string>> = {
    "nothing at all": "",
    "cut off": text.slice(0, -1),
    "of another format": text.replace("1|", "2|"),
    "of another protocol": writeCheckpoint({ ...textProtocol, name: "other" }, checkpoint),
    "of another version": writeCheckpoint({ ...textProtocol, version: 2 }, checkpoint),
    "no object": `${text.slice(0, text.indexOf("{"))}[]`,
    "without a snapshot": text.replace("snapshot", "snap"),
    "at a cursor that is none": text.replace("000000001-gen.3", "somewhere"),
  };

  it.each(Object.keys(damaged))("that is %s reads as none", (what) => {
    expect(readCheckpoint(textProtocol, damaged[what] ?? null)).toBeUndefined();
  });

  it.each([...Object.keys(damaged), "of a snapshot that cannot be read"])(
    "that is %s starts a session from nothing",
    (what) => {
      const harness = createHarness(textProtocol, () => streamOf());
      const unreadable = writeCheckpoint(textProtocol, { ...checkpoint, snapshot: "{" });
      harness.checkpoints.set(
        checkpointKey("", "/api/streams", "stream", STREAM_ID),
        damaged[what] ?? unreadable,
      );
      expect(harness.session().getState()).toMatchObject({ status: "idle", cursor: "", message: undefined });
    },
  );
});
