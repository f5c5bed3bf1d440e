/** A component with a button that starts a stream, as an app's composer does. */
import { fireEvent, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { useStartStream } from "../../src/index.ts";
import { CHAT_URL } from "./stream-app.tsx";

/** Starts a stream under an id of the test's own. */
export function Ask({ id }: { readonly id: string }): ReactNode {
  const start = useStartStream({ url: CHAT_URL });
  return <button onClick={() => start.start({ id, body: { text: "Hello?" } })}>Ask</button>;
}

/** Presses it. */
export function ask(): void {
  fireEvent.click(screen.getByRole("button", { name: "Ask" }));
}
