/** The Chromium that tests drive. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const COMMANDS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Path of Chromium: `CHROMIUM_PATH`, else the first that is found. Throws where there is none: a test is never skipped. */
export function chromiumPath(): string {
  const given = process.env["CHROMIUM_PATH"];
  if (given) return given;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command))).find(
    existsSync,
  );
  if (found !== undefined) return found;
  throw new Error("Chromium is missing. Install it (apt-get install chromium), or set CHROMIUM_PATH.");
}

/** Keeps it quiet, and lets it run as root. */
export const chromiumArgs: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
