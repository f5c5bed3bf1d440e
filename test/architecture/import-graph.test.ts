import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import {
  cycleOf,
  importsOf,
  reachableFrom,
  readImportGraph,
  violationsOf,
  type LayerRule,
} from "../support/import-graph.ts";

const source = fileURLToPath(new URL("../../src", import.meta.url));

const rules: readonly LayerRule[] = [
  { folder: "shared/", imports: ["shared/"], packages: ["eventsource-parser"] },
  { folder: "server/", imports: ["server/", "shared/"], packages: [] },
  { folder: "client/react/", imports: ["client/", "shared/"], packages: ["react"] },
  { folder: "client/query/", imports: ["client/", "shared/"], packages: ["@tanstack/react-query"] },
  {
    folder: "client/",
    imports: [
      "client/call-safely",
      "client/checkpoints/",
      "client/client-error",
      "client/commit-schedule",
      "client/connection",
      "client/failure",
      "client/in-time",
      "client/interest",
      "client/next-task",
      "client/retry",
      "client/session-",
      "client/side-effects",
      "client/start-stream",
      "client/stream-",
      "client/wake",
      "shared/",
    ],
    packages: ["zustand"],
  },
  { folder: "testing/", imports: ["testing/", "server/", "client/", "shared/"], packages: ["vitest", "msw"] },
  { folder: "core.ts", imports: ["client/", "shared/"], packages: [] },
  { folder: "index.ts", imports: ["core.ts", "client/", "shared/"], packages: ["@tanstack/react-query"] },
];

describe("the imports of the sources", () => {
  const edges = readImportGraph(source);

  it("point one way", () => {
    expect(edges.length).toBeGreaterThan(100);
    expect(violationsOf(edges, rules)).toEqual([]);
  });

  it("have no cycle", () => {
    expect(cycleOf(edges)).toBeNull();
  });

  it("name no package that users do not get", () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(`${source}/../package.json`, "utf8"));
    const declared = [...Object.keys(dependencies), ...Object.keys(peerDependencies)];
    const imported = new Set(edges.filter((edge) => edge.isPackage).map((edge) => edge.to));
    expect([...imported].filter((name) => !declared.includes(name))).toEqual([]);
  });
});

describe("the check itself", () => {
  it("reads every form of import", () => {
    const text = `import a from "./a.ts";\nimport type { B } from "./b.ts";\nimport {\n  c,\n} from "c";\nexport * from "./d.ts";\nimport "e";\nconst f = await import("./f.ts");`;
    expect(importsOf(text).map(({ specifier }) => specifier)).toEqual([
      "./a.ts",
      "./b.ts",
      "c",
      "./d.ts",
      "e",
      "./f.ts",
    ]);
  });

  it("finds what points the wrong way, and cycles", () => {
    const edge = (from: string, to: string, isPackage = false) => ({
      from,
      to,
      isPackage,
      isTypeOnly: false,
    });
    const bad = [
      edge("shared/a.ts", "server/b.ts"),
      edge("server/b.ts", "react", true),
      edge("client/c.ts", "client/react/d.ts"),
    ];
    expect(violationsOf(bad, rules)).toHaveLength(3);
    expect(cycleOf([edge("a", "b"), edge("b", "c"), edge("c", "a")])).toEqual(["a", "b", "c", "a"]);
    expect([...reachableFrom(["a"], [edge("a", "b"), edge("b", "c"), edge("d", "a")])]).toEqual([
      "a",
      "b",
      "c",
    ]);
  });
});

describe("rejoin/core", () => {
  it("works where there is no React", async () => {
    vi.doMock("react", () => {
      throw new Error("core must not import React");
    });
    const core = await import("../../src/core.ts");
    expect(core.createStreamSession).toBeTypeOf("function");
    vi.doUnmock("react");
  });
});
