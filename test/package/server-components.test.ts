/** The package among server components, as their bundlers take it: what says `"use client"` is a reference there. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packPackage, type PackedPackage } from "../support/packed-package.ts";

let packed: PackedPackage;
beforeAll(() => {
  packed = packPackage();
});
afterAll(() => packed.remove());

const DIRECTIVE = /^(["'])use client\1/;

/** Puts references in the place of what is the client's: they can be handed on, and not called. */
const clientReferences: Plugin = {
  name: "client-references",
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      const contents = readFileSync(path, "utf8");
      if (!DIRECTIVE.test(contents)) return null;
      const { metafile } = await build({ entryPoints: [path], format: "esm", metafile: true, write: false });
      const names = Object.values(metafile.outputs).flatMap(({ exports }) => exports);
      const references = names.map(
        (name) => `export const ${name} = Object.assign(
          () => { throw new Error("${name} is the client's."); },
          { $$typeof: Symbol.for("react.client.reference") },
        );`,
      );
      return { contents: references.join("\n") };
    });
  },
};

/** What a module of server components prints, where React is the one for them. */
async function runOnServer(code: string): Promise<unknown> {
  const outfile = join(packed.appFolder, "server.js");
  await build({
    stdin: { contents: code, resolveDir: packed.appFolder },
    outfile,
    bundle: true,
    format: "esm",
    conditions: ["react-server"],
    external: ["react", "react/jsx-runtime"],
    plugins: [clientReferences],
  });
  const args = ["--conditions=react-server", outfile];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: packed.appFolder, encoding: "utf8" }));
}

describe("a server component", () => {
  it("imports the package; the provider and the hooks are the client's, and nothing else is", async () => {
    const references = await runOnServer(`
      import * as rejoin from "rejoin";
      const isReference = ([, value]) => value.$$typeof === Symbol.for("react.client.reference");
      console.log(JSON.stringify(Object.entries(rejoin).filter(isReference).map(([name]) => name).sort()));
    `);
    expect(references).toEqual([
      "ResumableStreamProvider",
      "useActiveStream",
      "useResumableStream",
      "useStartStream",
      "useStopStream",
      "useStreamClient",
    ]);
  });

  it("uses the rest: a client of its own, and the keys and options that go with it", async () => {
    const key = await runOnServer(`
      import { activeStreamOptions, createStreamClient } from "rejoin";
      import { assistantStream } from "rejoin/protocols/assistant-stream";
      const client = createStreamClient({ endpoint: "/api/streams", protocol: assistantStream });
      console.log(JSON.stringify(activeStreamOptions(client, "chat").queryKey));
    `);
    expect(key).toEqual(["rejoin", "/api/streams", "", "active", "chat"]);
  });

  it("finds the directive wherever React is used", () => {
    const files = packed.files.filter((path) => /^dist\/client\/(react|query)\/.*\.js$/.test(path));
    const texts = files.map((path) => readFileSync(join(packed.packageFolder, path), "utf8"));
    const usesReact = texts.filter((text) => /from "react"|\buse(Query|Mutation)\b/.test(text));
    expect(usesReact.length).toBeGreaterThan(0);
    expect(usesReact.filter((text) => !DIRECTIVE.test(text))).toEqual([]);
  });
});
