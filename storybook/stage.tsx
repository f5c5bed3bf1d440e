import {
  createStreamId,
  ResumableStreamProvider,
  sessionStorageCheckpoints,
  useResumableStream,
  useStartStream,
  useStreamClient,
} from "rejoin";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore, type ReactElement } from "react";
import { AnswerView, isFinal } from "../demo/client/answer/answer-view.tsx";
import { StatusBadge } from "../demo/client/chat/status-badge.tsx";
import { createNetworkSwitch, type NetworkSwitch } from "../demo/client/lib/network-switch.ts";
import { ASK_PATH, createInPageServer, STREAMS_ENDPOINT, type InPageServer } from "./in-page-server.ts";
import { recordedAnswer } from "./recorded-answer.ts";

/** Arguments of the stories. */
export interface StageProps {
  /** How fast the model writes. */
  readonly chunksPerSecond: number;
  /** Is given the server, so that a play function can ask what it saw. */
  readonly onServer: (server: InPageServer) => void;
}

/** A question, its answer, and everything that can happen on the way. */
export function Stage(props: StageProps): ReactElement {
  return <Tab key={props.chunksPerSecond} {...props} />;
}

/** A tab: what is below it is gone with a reload, what is in its storage is not. */
function Tab({ chunksPerSecond, onServer }: StageProps): ReactElement {
  const [{ server, network, queryClient, checkpoints }] = useState(() => {
    const server = createInPageServer({ chunks: recordedAnswer, chunksPerSecond });
    return {
      server,
      network: createNetworkSwitch(server.fetch),
      queryClient: new QueryClient(),
      checkpoints: sessionStorageCheckpoints(),
    };
  });
  useEffect(() => {
    onServer(server);
    return () => void server.close();
  }, [server, onServer]);
  const [page, setPage] = useState<{ load: number; streamId?: string }>({ load: 1 });
  return (
    <QueryClientProvider client={queryClient}>
      <ResumableStreamProvider
        key={page.load}
        endpoint={STREAMS_ENDPOINT}
        fetch={network.fetch}
        checkpoints={checkpoints}
      >
        <Page
          network={network}
          streamId={page.streamId}
          onAsk={(streamId) => setPage({ ...page, streamId })}
          onReload={() => setPage({ ...page, load: page.load + 1 })}
        />
      </ResumableStreamProvider>
    </QueryClientProvider>
  );
}

interface PageProps {
  readonly network: NetworkSwitch;
  readonly streamId: string | undefined;
  readonly onAsk: (streamId: string) => void;
  readonly onReload: () => void;
}

function Page({ network, streamId, onAsk, onReload }: PageProps): ReactElement {
  const client = useStreamClient();
  const { start } = useStartStream({ url: ASK_PATH });
  const { status, message, error, retry } = useResumableStream(streamId);
  const isCut = useSyncExternalStore(network.subscribe, network.isCut);
  const isRunning = streamId !== undefined && !isFinal(status);

  return (
    <main className="stage">
      <div className="stage-controls">
        <StatusBadge status={status} />
        <button
          type="button"
          disabled={isRunning}
          onClick={() => {
            const id = createStreamId();
            onAsk(id);
            start({ id });
          }}
        >
          Ask
        </button>
        <button type="button" disabled={isCut} onClick={network.cut}>
          Cut the network
        </button>
        <button
          type="button"
          disabled={!isCut}
          onClick={() => {
            network.restore();
            retry();
          }}
        >
          Restore
        </button>
        <button
          type="button"
          disabled={streamId === undefined}
          onClick={() => {
            // A page that is left reads nothing any more.
            client.dispose();
            onReload();
          }}
        >
          Reload
        </button>
      </div>
      {streamId !== undefined && (
        <AnswerView status={status} message={message} error={error?.message ?? null} action={null} />
      )}
    </main>
  );
}
