/** A real HTTP server around a Fetch handler, for tests. */
import { serve, type ServerType } from "@hono/node-server";

export interface TestServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback address. */
export async function serveFetch(
  fetch: (request: Request) => Promise<Response> | Response,
): Promise<TestServer> {
  let server: ServerType | undefined;
  const port = await new Promise<number>((resolve) => {
    server = serve({ fetch, port: 0, hostname: "127.0.0.1" }, (info) => resolve(info.port));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        if (server !== undefined && "closeAllConnections" in server) server.closeAllConnections();
        server?.close(() => resolve());
      }),
  };
}
