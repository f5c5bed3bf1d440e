/**
 * Takes one measurement, and sends what it found to the process that asked: `measure.ts <file> <Redis' URL>`. A process each,
 * so that none inherits another's heap, or what the engine made of its code.
 */
import type { Measure } from "./lib/report.ts";

const [file = "", url = ""] = process.argv.slice(2);
const { measure }: { readonly measure: Measure } = await import(
  new URL(`./measurements/${file}`, import.meta.url).href
);
const section = await measure(url);
process.send?.(section, () => process.exit());
