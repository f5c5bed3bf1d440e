/** `npm start` ends here: serves the demo. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { serve, type ServerType } from "@hono/node-server";
import { createResumableStreamContext } from "rejoin/server";
import { createDemoApp } from "./app.ts";
import { modelOf, portOf } from "./config.ts";
import { ConfigError } from "./environment.ts";
import { ModelError } from "./models/model.ts";
import { openStorage } from "./storage/storage.ts";

/** Milliseconds that answers may go on after the server was asked to end. */
const DRAIN_MS = 3_000;

try {
  await start();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(1);
}

async function start(): Promise<void> {
  const port = portOf(process.env);
  const model = modelOf(process.env);
  const storage = await openStorage(process.env);
  const context = createResumableStreamContext({
    store: storage.store,
    toPublicError: (error) => (error instanceof ModelError ? error.publicMessage : undefined),
  });
  const app = createDemoApp({
    context,
    conversations: storage.conversations,
    model,
    pageRoot: fileURLToPath(new URL("../dist", import.meta.url)),
  });
  const server = await listen(app.fetch, port);

  let closing = false;
  const close = async (): Promise<void> => {
    // Asked twice, somebody is in a hurry.
    if (closing) process.exit(1);
    closing = true;
    const closed = once(server, "close");
    server.close();
    await context.close({ drainMs: DRAIN_MS });
    if ("closeAllConnections" in server) server.closeAllConnections();
    await closed;
    await storage.close();
    process.exit(0);
  };
  process.on("SIGINT", () => void close());
  process.on("SIGTERM", () => void close());

  const address = server.address();
  const listening = typeof address === "object" && address !== null ? address.port : port;
  console.log(`  store: ${storage.label}`);
  console.log(`  model: ${model.label}`);
  console.log(`rejoin demo: http://localhost:${listening}`);
}

async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  port: number,
): Promise<ServerType> {
  const server = serve({ fetch, port });
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    throw new ConfigError(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start`, {
      cause: error,
    });
  }
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
