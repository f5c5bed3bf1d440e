/** Figures, as they are printed and as `docs/performance.md` shows them. */

/** One line of a table. */
export interface Figure {
  readonly what: string;
  readonly rejoin: string;
  /** The raw parts, measured in the same run. */
  readonly raw?: string;
  /** The peers, measured in the same run. */
  readonly peers?: string;
  /** What the bar says, and whether it is met; without one the figure is only reported. */
  readonly bar?: string;
  readonly isMet?: boolean;
}

/** What one measurement found. */
export interface Section {
  readonly title: string;
  /** How it was measured. */
  readonly how: string;
  readonly figures: readonly Figure[];
}

/** A measurement. */
export type Measure = (url: string) => Promise<Section>;

/** A ratio as a figure: `1.23x`. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}

/** A time as a figure. */
export function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}

/** A section as Markdown. */
export function renderSection({ title, how, figures }: Section): string {
  const rows = figures.map(({ what, rejoin, raw = "", peers = "", bar = "", isMet }) =>
    row([what, rejoin, raw, peers, bar === "" ? "" : `${bar}${isMet === true ? ": met" : ": **missed**"}`]),
  );
  const head = [row(["", "rejoin", "the raw parts", "peers", "bar"]), row(Array.from("-----"))];
  return [`## ${title}`, "", how, "", ...head, ...rows, ""].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
