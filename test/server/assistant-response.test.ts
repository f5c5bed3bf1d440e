import {
  DataStreamDecoder,
  DataStreamEncoder,
  type AssistantStreamChunk as TheirChunk,
} from "assistant-stream";
import { describe, expect, it, vi } from "vitest";
import {
  createInMemoryResumableStreamStore,
  createResumableAssistantStreamResponse,
  createResumableStreamContext,
  createResumeAssistantStreamResponse,
  RESUMABLE_STREAM_ID_HEADER,
} from "../../src/server/index.ts";
import { assistantStream } from "../../src/shared/protocols/assistant-stream/index.ts";
import { controlOf, payloadsOf, readEvents } from "../support/sse-client.ts";

const contextOf = () =>
  createResumableStreamContext({ store: createInMemoryResumableStreamStore(), onError: () => {} });
const withControl = new Request("http://test.local/", { headers: { "x-rejoin-control": "1" } });

describe("an assistant response", () => {
  it("is a stream of events that can be followed, and is saved", async () => {
    const context = contextOf();
    const onFinish = vi.fn();
    const response = await createResumableAssistantStreamResponse({
      context,
      streamId: "s",
      request: withControl,
      headers: { "x-app": "1", [RESUMABLE_STREAM_ID_HEADER]: "forged" },
      callback: (controller) => controller.appendText("Hello."),
      onFinish,
    });
    expect(response.headers.get(RESUMABLE_STREAM_ID_HEADER)).toBe("s");
    expect(response.headers.get("x-app")).toBe("1");
    const events = await readEvents(response);
    expect(controlOf(events, "rejoin.end")).toEqual({ status: "done" });
    const fold = assistantStream.fold();
    for (const payload of payloadsOf(events)) fold.apply(payload);
    expect(fold.view().parts).toMatchObject([{ type: "text", text: "Hello." }]);
    await vi.waitFor(() => expect(onFinish).toHaveBeenCalledOnce());
    expect(onFinish.mock.calls[0]?.[0]).toMatchObject({
      status: "done",
      message: { status: { type: "complete" } },
    });
    const again = await createResumeAssistantStreamResponse({ context, streamId: "s", control: true });
    expect(payloadsOf(await readEvents(again))).toEqual(payloadsOf(events));
  });

  it("ends as an error with a public text when its callback throws", async () => {
    const response = await createResumableAssistantStreamResponse({
      context: contextOf(),
      streamId: "s",
      request: withControl,
      callback(controller) {
        controller.appendText("Hel");
        throw new Error("secret");
      },
    });
    const text = await response.clone().text();
    expect(text).not.toContain("secret");
    const events = await readEvents(response);
    expect(payloadsOf(events)).toHaveLength(3);
    expect(controlOf(events, "rejoin.end")).toMatchObject({
      status: "error",
      error: { code: "source-failed" },
    });
  });

  it("with an encoder is bytes, the same at every read, that the encoder's own decoder reads", async () => {
    const context = contextOf();
    const options = { context, streamId: "s", encoder: () => encoderOf() };
    const first = await createResumableAssistantStreamResponse({
      ...options,
      callback: (c) => c.appendText("Hello."),
    });
    const again = await createResumeAssistantStreamResponse(options);
    const bytes = await first.arrayBuffer();
    expect(new Uint8Array(await again.arrayBuffer())).toEqual(new Uint8Array(bytes));
    expect(first.headers.get("content-type")).toBe(new DataStreamEncoder().headers.get("content-type"));
    const decoded: TheirChunk[] = await Array.fromAsync(
      new Blob([bytes]).stream().pipeThrough(new DataStreamDecoder()),
    );
    expect(decoded).toContainEqual(expect.objectContaining({ type: "text-delta", textDelta: "Hello." }));
  });

  it("of a stream that is not there is a 404, or what the app makes of it", async () => {
    const context = contextOf();
    const missing = await createResumeAssistantStreamResponse({ context, streamId: "s" });
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { error: { code: "missing", message: expect.any(String) } },
    ]);
    const own = await createResumeAssistantStreamResponse({
      context,
      streamId: "s",
      missingResponse: () => new Response(null, { status: 204 }),
    });
    expect(own.status).toBe(204);
  });
});

/** Their encoder, whose chunk types are the same but for names. */
function encoderOf() {
  const encoder = new DataStreamEncoder();
  const { readable, writable } = new TransformStream();
  void readable.pipeTo(encoder.writable).catch(() => {});
  return { headers: encoder.headers, writable, readable: encoder.readable };
}
