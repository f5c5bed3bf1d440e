import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEventFraming, type SourceChunk } from "../../src/server/event-framing.ts";

function frame(chunks: readonly SourceChunk[], maxChunkBytes = 1000) {
  const payloads: string[] = [];
  const framing = createEventFraming({
    maxChunkBytes,
    endMarker: "[DONE]",
    onPayload: (p) => payloads.push(p),
  });
  for (const chunk of chunks) framing.push(chunk);
  return { payloads, sawEndMarker: framing.sawEndMarker() };
}

const answer =
  'data: {"t":"héllo 👩‍🚀"}\n\n: ping\n\nevent: delta\r\nid: 7\r\ndata: {"t":"世界"}\r\n\r\ndata: [DONE]\n\n';
const payloads = ['{"t":"héllo 👩‍🚀"}', '{"t":"世界"}'];

describe("event framing", () => {
  it("gives one payload an event, wherever the bytes are cut, even inside a character", () => {
    const bytes = new TextEncoder().encode(answer);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.slice(at[index], end));
        expect(frame(chunks)).toEqual({ payloads, sawEndMarker: true });
      }),
    );
  });

  it("gives the same when every byte comes alone", () => {
    const chunks = Array.from(new TextEncoder().encode(answer), (byte) => Uint8Array.of(byte));
    expect(frame(chunks).payloads).toEqual(payloads);
  });

  it("takes text and objects as well as bytes", () => {
    const chunks = ['data: {"a":1}\n', "\n", { b: 2 }, new TextEncoder().encode('data: {"c":3}\n\n')];
    expect(frame(chunks).payloads).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  });

  it("never stores the end marker, nor an event without data", () => {
    expect(frame(["data:\n\ndata: [DONE]\n\n"])).toEqual({ payloads: [], sawEndMarker: true });
  });

  it("does not take an event that its source did not finish for a whole one", () => {
    expect(frame(['data: {"t":"a"}\n\ndata: {"t":"b"}\n']).payloads).toEqual(['{"t":"a"}']);
  });

  it("joins the lines of one event without a raw line ending", () => {
    expect(frame(['data: {\ndata: "t":1}\n\n']).payloads).toEqual(['{ "t":1}']);
  });

  it("stores text that is well-formed, so that every reader has the same", () => {
    expect(frame(['data: {"t":"\ud800"}\n\n']).payloads).toEqual(['{"t":"\ufffd"}']);
  });

  it("refuses a payload that is too large, after those before it were handed on", () => {
    const seen: string[] = [];
    const framing = createEventFraming({ maxChunkBytes: 8, onPayload: (payload) => seen.push(payload) });
    expect(() => framing.push("data: small\n\ndata: not so small\n\n")).toThrow(/maxChunkBytes/);
    expect(seen).toEqual(["small"]);
  });

  it("does not hold more of an unfinished event than the bound", () => {
    const framing = createEventFraming({ maxChunkBytes: 100, onPayload: () => {} });
    framing.push("data: ");
    expect(() => {
      for (let index = 0; index < 20; index += 1) framing.push("0123456789");
    }).toThrow(/longer than/);
  });

  it("counts bytes of UTF-8, not characters", () => {
    expect(frame(["data: 世界\n\n"], 6).payloads).toEqual(["世界"]);
    expect(() => frame(["data: 世界\n\n"], 5)).toThrow(/maxChunkBytes/);
  });

  it("refuses an object that JSON cannot write", () => {
    expect(() => frame([Object.assign(() => {}, {})])).toThrow(/not JSON/);
  });
});
