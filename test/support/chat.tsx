/** A chat: the newest answer of a thread, and what its composer can do. */
import type { UseQueryResult } from "@tanstack/react-query";
import { act } from "@testing-library/react";
import type { ReactNode } from "react";
import {
  useActiveStream,
  useStartStream,
  useStopStream,
  type ActiveStream,
  type StartStream,
} from "../../src/index.ts";
import { Answer } from "./answer.tsx";
import { CHAT_URL, type StreamApp } from "./stream-app.tsx";

/** What the hooks of the chat said last. */
export interface ChatHooks {
  readonly start: StartStream;
  readonly stop: ReturnType<typeof useStopStream>;
  readonly active: UseQueryResult<ActiveStream | null>;
}

export let hooks: ChatHooks | undefined;

export function Chat(): ReactNode {
  const start = useStartStream({ url: CHAT_URL });
  const stop = useStopStream();
  // All of it is read, so that the component renders with any change.
  const active = { ...useActiveStream("chat") };
  hooks = { start, stop, active };
  return <Answer id={active.data?.streamId} />;
}

/** Sends a question; returns the stream's id. */
export function send(id?: string): string {
  let sent = "";
  act(() => {
    sent =
      hooks?.start.start({ ...(id === undefined ? {} : { id }), body: { text: "Hi?" }, thread: "chat" }) ??
      "";
  });
  return sent;
}

/** How many questions were sent. */
export function posts(app: StreamApp): number {
  return app.network.requests.filter((request) => request === "POST /api/chat").length;
}
