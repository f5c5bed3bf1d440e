import { readFile, writeFile } from "node:fs/promises";
import { format } from "prettier";
import { expect, it } from "vitest";
import { renderStreamTable } from "../../src/testing/stream-table.ts";

const path = new URL("../../docs/PROTOCOL.md", import.meta.url);
const SECTION = /(<!-- table:start -->)[\s\S]*(<!-- table:end -->)/;

it("docs/PROTOCOL.md shows the table that the contract suite is generated from", async () => {
  const doc = await readFile(path, "utf8");
  const shown = doc.replace(SECTION, `$1\n\n${renderStreamTable()}\n\n$2`);
  const formatted = await format(shown, { parser: "markdown", printWidth: 110 });
  // WRITE_DOCS=1 brings the page up to date.
  if (process.env["WRITE_DOCS"] === "1") await writeFile(path, formatted);
  else expect(doc).toBe(formatted);
});
