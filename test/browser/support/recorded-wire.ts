/** What the network gave to a tab: every response of events, as its bytes came. */
import type { BrowserContext, Page } from "playwright";

/** A response of events. */
export interface RecordedResponse {
  readonly method: string;
  readonly url: string;
  /** Its body so far. */
  readonly body: string;
}

declare global {
  interface Window {
    recordedResponses?: { method: string; url: string; body: string }[];
  }
}

/** Records what the pages of a visitor get, each from its load on. */
export async function recordWire(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const { fetch } = window;
    const responses: NonNullable<Window["recordedResponses"]> = [];
    window.recordedResponses = responses;
    window.fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
      const recorded = { method: init?.method ?? "GET", url: response.url, body: "" };
      responses.push(recorded);
      const note = async (body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> => {
        const decoder = new TextDecoder();
        for await (const bytes of body) recorded.body += decoder.decode(bytes, { stream: true });
      };
      // A response that is cut ends the record of it.
      if (response.body !== null) note(response.clone().body ?? new ReadableStream()).catch(() => {});
      return response;
    };
  });
}

/** The responses since the page was loaded. */
export async function recordedResponses(page: Page): Promise<readonly RecordedResponse[]> {
  return (await page.evaluate(() => window.recordedResponses)) ?? [];
}
