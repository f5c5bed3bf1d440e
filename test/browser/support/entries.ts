/** What a response of events holds. */
import { CONTROL_EVENT } from "../../../src/shared/wire.ts";
import { createSseReader, type SseEvent } from "../../../src/shared/sse.ts";

const CONTROL: ReadonlySet<string> = new Set(Object.values(CONTROL_EVENT));

/** The entries of the log in a body of SSE. */
export function entriesOf(body: string): readonly SseEvent[] {
  const events: SseEvent[] = [];
  createSseReader({ onEvent: (event) => events.push(event) }).feed(body);
  return events.filter(({ event, data }) => !CONTROL.has(event ?? "") && data !== "[DONE]");
}

/** The sequence number that a cursor ends with: in a test one may look into it. */
export function seqOf(cursor: string | undefined): number {
  return Number(cursor?.split(".")[1]);
}
