/** The types of the package as an app has them, which may add to them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packPackage, typeCheck, type PackedPackage } from "../support/packed-package.ts";

let packed: PackedPackage;
beforeAll(() => {
  packed = packPackage();
});
afterAll(() => packed.remove());

/** An app's file; its lines are what the compiler's messages name. */
function write(name: string, ...lines: readonly string[]): void {
  writeFileSync(join(packed.appFolder, name), lines.join("\n"));
}

const REGISTERED = [
  `import type { StreamProtocol } from "rejoin";`,
  `declare const numbers: StreamProtocol<{ readonly sum: number }>;`,
  `declare module "rejoin" { interface Register { protocol: typeof numbers } }`,
];

describe("a protocol that the app registered", () => {
  it("gives every hook its messages", () => {
    write("registered.ts", ...REGISTERED);
    write(
      "hooks.ts",
      `import { useQuery } from "@tanstack/react-query";`,
      `import { finishedMessageOptions, useResumableStream, useStreamClient } from "rejoin";`,
      `export const useSum = (id: string): number | undefined => useResumableStream(id).message?.sum;`,
      `export const useFinished = (id: string): number | undefined =>`,
      `  useQuery(finishedMessageOptions(useStreamClient(), id)).data?.message?.sum;`,
      `export const useSelected = (id: string): number | undefined =>`,
      `  useResumableStream(id, { select: ({ message }) => message?.sum });`,
    );
    expect(typeCheck(packed, "registered.ts", "hooks.ts")).toBe("");
  });

  it("leaves no message of another one", () => {
    write("registered.ts", ...REGISTERED);
    write(
      "wrong.ts",
      `import { useResumableStream } from "rejoin";`,
      `export const useParts = (id: string): unknown => useResumableStream(id).message?.parts;`,
    );
    expect(typeCheck(packed, "registered.ts", "wrong.ts")).toMatch(
      /^wrong\.ts\(2,\d+\): error TS2339: Property 'parts' does not exist on type '\{ readonly sum: number; \}'\.\s*$/,
    );
    // Where none is registered it is the default one's.
    expect(typeCheck(packed, "wrong.ts")).toBe("");
  });
});
