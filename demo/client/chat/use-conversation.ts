import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { CONVERSATIONS_PATH, type Conversation } from "../../shared/conversation.ts";
import {
  EMPTY,
  mergeConversation,
  recallConversation,
  rememberConversation,
  withQuestion,
  type ConversationData,
} from "./conversation-data.ts";

/** The server has no such conversation, or not for this visitor. */
export class ConversationMissing extends Error {}

/** A conversation, and what changes it. */
export interface ConversationHandle {
  readonly data: ConversationData;
  /** Nothing is known yet. */
  readonly isLoading: boolean;
  readonly error: Error | null;
  readonly refetch: () => void;
  /** Shows a question before the server has it. */
  readonly addQuestion: (streamId: string, question: string) => void;
}

const keyOf = (id: string): readonly unknown[] => ["conversation", id];

/** A conversation of the server, kept in this tab and told to the others. */
export function useConversation(id: string, fetch: typeof globalThis.fetch): ConversationHandle {
  const queryClient = useQueryClient();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: keyOf(id),
    queryFn: async ({ signal }) => {
      const response = await fetch(`${CONVERSATIONS_PATH}/${id}`, { signal });
      if (response.status === 404) throw new ConversationMissing("This conversation is not here.");
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      const conversation: Conversation = await response.json();
      return mergeConversation(knownOf(queryClient, id), conversation);
    },
    initialData: () => recallConversation(id),
    initialDataUpdatedAt: 0,
    retry: (count, error) => count < 3 && !(error instanceof ConversationMissing),
  });

  useEffect(() => {
    if (data !== undefined) rememberConversation(id, data);
  }, [id, data]);

  // Another tab asked something: this one asks at once, not when it is next looked at.
  useEffect(() => {
    const channel = new BroadcastChannel("rejoin-demo");
    channel.onmessage = ({ data: changed }) => {
      if (changed === id) void queryClient.invalidateQueries({ queryKey: keyOf(id) });
    };
    return () => channel.close();
  }, [id, queryClient]);

  const addQuestion = useCallback(
    (streamId: string, question: string) => {
      const changed = withQuestion(knownOf(queryClient, id), streamId, question);
      queryClient.setQueryData(keyOf(id), changed);
      rememberConversation(id, changed);
    },
    [id, queryClient],
  );

  const fetchAgain = useCallback(() => void refetch(), [refetch]);
  return { data: data ?? EMPTY, isLoading: isPending, error, refetch: fetchAgain, addQuestion };
}

/** Tells all tabs, this one too, that the server has more of a conversation. */
export function announceChange(id: string): void {
  const channel = new BroadcastChannel("rejoin-demo");
  channel.postMessage(id);
  channel.close();
}

function knownOf(queryClient: QueryClient, id: string): ConversationData {
  return queryClient.getQueryData<ConversationData>(keyOf(id)) ?? EMPTY;
}
