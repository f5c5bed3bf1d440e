/** An HTTP proxy between page and server that does what proxies do to responses of events. */
import { once } from "node:events";
import { createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { TestServer } from "../../support/http-server.ts";

/** What is done to a response of events: it passes on what comes from the server, or does not. */
export type Harm = (upstream: IncomingMessage, response: ServerResponse) => void;

/** A request whose response is events. */
export interface ProxiedFollow {
  readonly method: string;
  /** When it came, in milliseconds of `performance.now()`. */
  readonly at: number;
  /** When something of its response was last passed on. */
  readonly passedAt: number;
  /** Resolves when the connection is gone, whoever let go of it. */
  readonly closed: Promise<void>;
}

/** A proxy. */
export interface HarmfulProxy extends TestServer {
  /** All requests for events, in order. */
  readonly follows: readonly ProxiedFollow[];
  /** Does this to all responses of events from now on. */
  harm(harm: Harm): void;
  /** Passes nothing more of the responses that are on their way, and keeps their connections. */
  stall(): void;
  /** Breaks off the responses that are on their way. */
  cut(): void;
}

/** Starts a proxy on a free port; it does no harm until it is told to. */
export async function startHarmfulProxy(target: string): Promise<HarmfulProxy> {
  const follows: (ProxiedFollow & {
    passedAt: number;
    readonly upstream: IncomingMessage;
    readonly response: ServerResponse;
  })[] = [];
  let harm: Harm = passOn;

  const proxy = createServer((request, response) => {
    const { method = "GET", headers } = request;
    const options = { method, headers, agent: false };
    const forwarded = send(new URL(request.url ?? "/", target), options, (upstream) => {
      if (upstream.headers["content-type"]?.startsWith("text/event-stream")) {
        const closed = new Promise<void>((resolve) => response.once("close", resolve));
        const follow = {
          method,
          at: performance.now(),
          passedAt: performance.now(),
          closed,
          upstream,
          response,
        };
        follows.push(follow);
        upstream.on("data", () => (follow.passedAt = performance.now()));
        harm(upstream, response);
      } else passOn(upstream, response);
    });
    // Whoever goes takes the other one along.
    forwarded.on("error", () => response.destroy());
    response.once("close", () => forwarded.destroy());
    request.pipe(forwarded);
  });

  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    follows,
    harm: (next) => void (harm = next),
    stall() {
      for (const { upstream } of follows) upstream.removeAllListeners("data").pause();
    },
    cut() {
      for (const { response } of follows) response.destroy();
    },
    async close() {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, "close");
    },
  };
}

/** Does no harm. */
export function passOn(upstream: IncomingMessage, response: ServerResponse): void {
  open(upstream, response);
  upstream.on("data", (bytes: Buffer) => response.write(bytes));
  upstream.on("end", () => response.end());
  upstream.on("error", () => response.destroy());
}

/** Ends each response after so many bytes, as if that were all of it. */
export function endAfterBytes(limit: number, onEnd: () => void): Harm {
  return (upstream, response) => {
    open(upstream, response);
    let left = limit;
    upstream.on("data", (bytes: Buffer) => {
      if (left === 0) return;
      const part = bytes.subarray(0, left);
      left -= part.length;
      response.write(part);
      if (left > 0) return;
      onEnd();
      response.end();
    });
    upstream.on("end", () => response.end());
    upstream.on("error", () => response.destroy());
  };
}

/** Breaks each response off when it is so many milliseconds old. */
export function cutAfterMs(limitMs: number): Harm {
  return (upstream, response) => {
    passOn(upstream, response);
    const timer = setTimeout(() => response.destroy(), limitMs);
    response.once("close", () => clearTimeout(timer));
  };
}

/** Keeps all of a response, its head too, until `flush` is called or the response ends. */
export function bufferUntil(flush: Promise<void>): Harm {
  return (upstream, response) => {
    let kept: Buffer[] | null = [];
    const pass = (): void => {
      if (kept === null || response.destroyed) return;
      open(upstream, response);
      response.write(Buffer.concat(kept));
      kept = null;
    };
    upstream.on("data", (bytes: Buffer) => (kept === null ? response.write(bytes) : kept.push(bytes)));
    upstream.on("end", () => {
      pass();
      response.end();
    });
    upstream.on("error", () => response.destroy());
    void flush.then(pass);
  };
}

function open(upstream: IncomingMessage, response: ServerResponse): void {
  response.writeHead(upstream.statusCode ?? 502, upstream.headers);
  response.flushHeaders();
}
