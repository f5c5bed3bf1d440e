/** Holds back every answer of the network to the page's own requests. */
import type { Page, Route } from "playwright";

/** A network that is held. */
export interface HeldNetwork {
  /** Lets everything go on, what waited and what comes. */
  release(): Promise<void>;
}

/** Holds requests whose path matches. */
export async function holdNetwork(page: Page, pattern = "**/api/**"): Promise<HeldNetwork> {
  const gate = Promise.withResolvers<void>();
  const waiting = new Set<Promise<void>>();
  const handler = (route: Route): void => {
    // A page that was left has taken its requests with it.
    const request = gate.promise.then(() => route.continue()).catch(() => {});
    waiting.add(request);
  };
  await page.route(pattern, handler);
  return {
    async release() {
      gate.resolve();
      await Promise.all(waiting);
    },
  };
}
