/** What a response of events holds. */
import { createSseReader, type SseEvent } from "../../../src/shared/sse.ts";

/** The entries of the log in a body of SSE. */
export function entriesOf(body: string): readonly SseEvent[] {
  const events: SseEvent[] = [];
  createSseReader({ onEvent: (event) => events.push(event) }).feed(body);
  return events.filter(({ event, data }) => event === undefined && data !== "[DONE]");
}

/** The sequence number that a cursor ends with: in a test one may look into it. */
export function seqOf(cursor: string | undefined): number {
  return Number(cursor?.split(".")[1]);
}
