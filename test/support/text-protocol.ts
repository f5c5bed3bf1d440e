/** A small protocol for tests of the log: `{"t":"…"}` appends text, `{"end":true}` ends. */
import type { JsonValue } from "../../src/shared/json/json-value.ts";
import type { StreamFold, StreamProtocol } from "../../src/shared/protocols/protocol.ts";

export interface TextMessage {
  readonly text: string;
  readonly status: "running" | "done" | "error" | "stopped" | "missing";
}

interface TextFold extends StreamFold<TextMessage> {
  readonly ended: boolean;
}

function parse(payload: string): { t?: string; end?: boolean } {
  try {
    return JSON.parse(payload) ?? {};
  } catch {
    return {};
  }
}

function isFold(fold: StreamFold<TextMessage>): fold is TextFold {
  return "ended" in fold;
}

export const textProtocol: StreamProtocol<TextMessage> = {
  name: "test-text",
  version: 1,
  endMarker: "[DONE]",
  fold(snapshot?: JsonValue): TextFold {
    let message: TextMessage = { text: "", status: "running" };
    let ended = false;
    if (typeof snapshot === "string") {
      const state = JSON.parse(snapshot);
      message = state.message;
      ended = state.ended;
    }
    return {
      get ended() {
        return ended;
      },
      apply(payload) {
        const event = parse(payload);
        if (event.t !== undefined) message = { ...message, text: message.text + event.t };
        if (event.end === true) ended = true;
      },
      end({ status }) {
        if (message.status === "running") message = { ...message, status };
      },
      view: () => message,
      snapshot: () => JSON.stringify({ message, ended }),
    };
  },
  isComplete: (fold) => isFold(fold) && fold.ended,
};

/** Payloads of an answer whose text is the parts, joined. */
export function textPayloads(...parts: readonly string[]): string[] {
  return [...parts.map((t) => JSON.stringify({ t })), JSON.stringify({ end: true })];
}

/** An answer as SSE text. */
export function sseOf(payloads: readonly string[]): string {
  return payloads.map((payload) => `data: ${payload}\n\n`).join("");
}
