/** `npm start` ends here: serves the demo. */
import { fileURLToPath } from "node:url";
import { serve, type ServerType } from "@hono/node-server";
import { createResumableStreamContext } from "rejoin/server";
import { createDemoApp } from "./app.ts";
import { ConfigError, modelOf, portOf } from "./config.ts";
import { createConversations } from "./conversations.ts";
import { ModelError } from "./models/model.ts";
import { openStore, type DemoStore } from "./store.ts";

/** Milliseconds that answers may go on after the server was asked to end. */
const DRAIN_MS = 3_000;

const pageRoot = fileURLToPath(new URL("../dist", import.meta.url));

try {
  start(await openStore(process.env));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function start({ store, label, close: closeStore }: DemoStore): void {
  const port = portOf(process.env);
  const model = modelOf(process.env);
  const context = createResumableStreamContext({
    store,
    toPublicError: (error) => (error instanceof ModelError ? error.publicMessage : undefined),
  });
  const app = createDemoApp({ context, conversations: createConversations(), model, pageRoot });
  const server = serve({ fetch: app.fetch, port }, (info) => {
    console.log(`rejoin demo: http://localhost:${info.port}`);
    console.log(`  store: ${label}`);
    console.log(`  model: ${model.label}`);
  });
  server.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") {
      console.error(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start`);
    } else {
      console.error(error);
    }
    process.exit(1);
  });

  let closing = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // Asked twice, somebody is in a hurry.
      if (closing) process.exit(1);
      closing = true;
      void close(server).then(() => process.exit(0));
    });
  }

  async function close(server: ServerType): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await context.close({ drainMs: DRAIN_MS });
    if ("closeAllConnections" in server) server.closeAllConnections();
    await closed;
    await closeStore();
  }
}
