/** An answer in each of its states, from recorded messages. */
import type { Meta, StoryObj } from "@storybook/react-vite";
import { assistantStream, type AssistantMessage } from "rejoin/protocols/assistant-stream";
import { expect, fn, userEvent, within } from "storybook/test";
import { everyPartChunks } from "../test/support/every-part-answer.ts";
import { AnswerView } from "../demo/client/answer/answer-view.tsx";
import { recordedAnswer } from "./recorded-answer.ts";

const meta: Meta<typeof AnswerView> = {
  title: "Answer states",
  component: AnswerView,
  args: { error: null, action: null },
  decorators: [
    (Story) => (
      <main className="stage">
        <Story />
      </main>
    ),
  ],
};

export default meta;

type Story = StoryObj<typeof AnswerView>;

/** Nothing came yet. */
export const Waiting: Story = {
  args: { status: "connecting", message: undefined },
  play: ({ canvasElement }) =>
    expect(within(canvasElement).getByText("Waiting for the first word")).toBeInTheDocument(),
};

/** The model thinks. */
export const Thinking: Story = {
  args: { status: "streaming", message: messageAfter(20) },
  async play({ canvasElement }) {
    const toggle = within(canvasElement).getByRole("button", { name: "Thinking" });
    await expect(toggle).toHaveAttribute("aria-expanded", "false");
    await userEvent.click(toggle);
    await expect(toggle).toHaveAttribute("aria-expanded", "true");
  },
};

/** A tool's arguments come in. */
export const CallingATool: Story = {
  args: { status: "streaming", message: messageAfter(indexOf("tool-call-args-text-finish") - 3) },
  play: ({ canvasElement }) =>
    expect(within(canvasElement).getByLabelText("Tool measure_log")).toHaveTextContent("writing arguments"),
};

/** The connection is gone in the middle. */
export const Reconnecting: Story = {
  args: {
    status: "reconnecting",
    message: messageAfter(recordedAnswer.length - 60),
    action: { label: "Try now", run: fn() },
  },
  async play({ args, canvasElement }) {
    await userEvent.click(within(canvasElement).getByRole("button", { name: "Try now" }));
    await expect(args.action?.run).toHaveBeenCalledOnce();
  },
};

/** Somebody pressed Stop. */
export const Stopped: Story = {
  args: { status: "stopped", message: messageAfter(recordedAnswer.length - 60, "stopped") },
  play: ({ canvasElement }) =>
    expect(within(canvasElement).getByText("Stopped. What was written stays.")).toBeInTheDocument(),
};

/** The model failed in the middle. */
export const Failed: Story = {
  args: {
    status: "error",
    message: messageAfter(recordedAnswer.length - 60, "error"),
    error: "The model server did not answer.",
    action: { label: "Ask again", run: fn() },
  },
  play: ({ canvasElement }) =>
    expect(within(canvasElement).getByRole("alert")).toHaveTextContent("The model server did not answer."),
};

/** It is whole. */
export const Complete: Story = {
  args: { status: "done", message: messageAfter(recordedAnswer.length, "done") },
  async play({ canvasElement }) {
    const answer = within(canvasElement);
    await expect(answer.getByRole("heading", { name: "What was measured" })).toBeInTheDocument();
    await expect(answer.getByRole("table")).toHaveTextContent("three seconds later");
    await expect(answer.getByLabelText("Result")).toHaveTextContent('"missed": 121');
  },
};

/** Every kind of part that the protocol has. */
export const EveryKindOfPart: Story = {
  args: { status: "done", message: fold(everyPartChunks, "done") },
  async play({ canvasElement }) {
    const answer = within(canvasElement);
    await expect(answer.getByLabelText("Tool fail")).toHaveTextContent("declined");
    await expect(answer.getByRole("link", { name: "Exämple" })).toHaveAttribute(
      "href",
      "https://example.com/?a=1&b=2",
    );
    await expect(answer.getByAltText("From the model")).toBeInTheDocument();
    await expect(answer.getByText("chart")).toBeInTheDocument();
  },
};

function messageAfter(chunks: number, end?: "done" | "error" | "stopped"): AssistantMessage {
  return fold(recordedAnswer.slice(0, chunks), end);
}

function fold(chunks: readonly object[], status?: "done" | "error" | "stopped"): AssistantMessage {
  const fold = assistantStream.fold();
  for (const chunk of chunks) fold.apply(JSON.stringify(chunk));
  if (status !== undefined) fold.end({ status });
  return fold.view();
}

function indexOf(type: string): number {
  return recordedAnswer.findIndex((chunk) => chunk.type === type);
}
