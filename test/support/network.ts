/** The network between a page and its server: it hands everything on, until a test says otherwise. */

/** Hands a request on, or does something else with it. */
export type Carrier = (request: Request, next: () => Promise<Response>) => Promise<Response>;

export interface Network {
  /** Requests so far, as `METHOD /path`. */
  readonly requests: readonly string[];
  /** The same, as they came. */
  readonly sent: readonly Request[];
  /** What came back for each, as far as it was read. */
  readonly received: readonly string[];
  /** How many responses are open. */
  connections(): number;
  /** What is done with requests from now on. */
  carry: Carrier;
  /** Breaks every response that is open, with an error of the browser's. */
  cut(error?: Error): void;
  /** Ends every response that is open, as a proxy does that has had enough. */
  close(): void;
  /** From now on nothing comes over the responses that are open, and they do not end. */
  stall(): void;
  /** Holds every request back; returns what lets them go on. */
  hold(): () => void;
  /** Fails whatever has no answer yet, and breaks what is open. */
  shutDown(): void;
  /** The page's end. */
  readonly fetch: typeof globalThis.fetch;
  /** The server's end. */
  serve(request: Request, server: (request: Request) => Promise<Response>): Promise<Response>;
}

/** Hands everything on. */
export const carryOn: Carrier = (_request, next) => next();

export function createNetwork(): Network {
  const requests: string[] = [];
  const sent: Request[] = [];
  const received: string[] = [];
  const open = new Set<Line>();
  const down = Promise.withResolvers<Response>();
  const toAll = (action: (line: Line) => void): void => open.forEach(action);
  const network: Network = {
    requests,
    sent,
    received,
    connections: () => open.size,
    carry: carryOn,
    cut: (error = new TypeError("network error")) => toAll((line) => line.cut(error)),
    close: () => toAll((line) => line.close()),
    stall: () => toAll((line) => line.stall()),
    hold() {
      const before = network.carry;
      const { promise, resolve } = Promise.withResolvers<void>();
      network.carry = async (request, next) => {
        await promise;
        return before(request, next);
      };
      return () => {
        network.carry = before;
        resolve();
      };
    },
    shutDown() {
      down.resolve(Response.error());
      network.cut();
    },
    async fetch(input, init) {
      const at = received.push("") - 1;
      const response = await fetch(input, init);
      if (response.body === null) return response;
      const line = createLine(response.body, {
        onRead: (text) => (received[at] += text),
        onEnd: () => open.delete(line),
      });
      open.add(line);
      init?.signal?.addEventListener("abort", () => line.cut(init.signal?.reason));
      return new Response(line.body, response);
    },
    serve(request, server) {
      requests.push(`${request.method} ${new URL(request.url).pathname}`);
      sent.push(request);
      return Promise.race([network.carry(request, () => server(request)), down.promise]);
    },
  };
  return network;
}

/** A response's way to the page. */
interface Line {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  cut(error: unknown): void;
  close(): void;
  stall(): void;
}

interface LineListeners {
  onRead(text: string): void;
  /** It was ended, by whichever side. */
  onEnd(): void;
}

function createLine(source: ReadableStream<Uint8Array<ArrayBuffer>>, listeners: LineListeners): Line {
  const reader = source.getReader();
  const decoder = new TextDecoder();
  let isStalled = false;
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  const end = (how: (body: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => void): void => {
    if (controller === undefined) return;
    how(controller);
    controller = undefined;
    listeners.onEnd();
    reader.cancel().catch(() => {});
  };
  const close = (): void => end((body) => body.close());
  const cut = (error: unknown): void => end((body) => body.error(error));

  async function pull(): Promise<void> {
    try {
      const { done, value } = await reader.read();
      if (isStalled) return await new Promise<never>(() => {});
      if (done) return close();
      listeners.onRead(decoder.decode(value, { stream: true }));
      controller?.enqueue(value);
    } catch (error) {
      cut(error);
    }
  }

  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    { start: (its) => void (controller = its), pull, cancel: () => end(() => {}) },
    { highWaterMark: 0 },
  );
  return { body, close, cut, stall: () => void (isStalled = true) };
}
