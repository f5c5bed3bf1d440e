/** The page: providers, the address, and one conversation. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { ResumableStreamProvider } from "rejoin";
import { StrictMode, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import { STREAMS_PATH } from "../shared/conversation.ts";
import { Chat } from "./chat/chat.tsx";
import { createNetworkSwitch } from "./lib/network-switch.ts";
import { useConversationId } from "./lib/route.ts";
import "./styles/index.css";

const network = createNetworkSwitch((input, init) => globalThis.fetch(input, init));
const queryClient = new QueryClient();

function App(): ReactElement {
  const conversationId = useConversationId();
  return <Chat key={conversationId} conversationId={conversationId} network={network} />;
}

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no #root.");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <ResumableStreamProvider endpoint={STREAMS_PATH} fetch={network.fetch}>
        <App />
      </ResumableStreamProvider>
    </QueryClientProvider>
  </StrictMode>,
);
