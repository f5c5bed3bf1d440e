/** Reads SSE responses in tests, with the same parser that clients use. */
import { createSseReader, type SseEvent } from "../../src/shared/sse.ts";

/** All events of a response, once it has ended. */
export async function readEvents(response: Response): Promise<SseEvent[]> {
  return Array.fromAsync(eventsOf(response));
}

/** The events of a response, as they come. */
export async function* eventsOf(response: Response): AsyncGenerator<SseEvent> {
  const events: SseEvent[] = [];
  const reader = createSseReader({ onEvent: (event) => events.push(event) });
  if (response.body === null) return;
  for await (const chunk of response.body) {
    reader.feed(chunk);
    yield* events.splice(0);
  }
}

/** Payloads of the entries among events. */
export function payloadsOf(events: readonly SseEvent[]): string[] {
  return events.filter((event) => event.event === undefined).map((event) => event.data);
}

/** Data of the first control event of a name, parsed; `undefined` where there is none. */
export function controlOf(events: readonly SseEvent[], name: string): unknown {
  const found = events.find((event) => event.event === name);
  return found && JSON.parse(found.data);
}
