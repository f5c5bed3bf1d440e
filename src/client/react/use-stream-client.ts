"use client";
import { useMemo } from "react";
import { streamClientOf, type StreamClient } from "../stream-client.ts";
import { useStreamSessions } from "./provider.ts";

/** The client of the provider above: starts, stops and finds streams. Throws where there is none. */
export function useStreamClient(): StreamClient<unknown> {
  const sessions = useStreamSessions();
  return useMemo(() => streamClientOf(sessions), [sessions]);
}
