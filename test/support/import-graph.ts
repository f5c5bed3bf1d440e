/** The imports of a folder of sources, read from the files. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export interface ImportEdge {
  /** The importing file, relative to the root. */
  readonly from: string;
  /** The imported file, relative to the root; or the package. */
  readonly to: string;
  readonly isPackage: boolean;
  readonly isTypeOnly: boolean;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^"'`;]*?\sfrom\s+)?["']([^"']+)["']/g;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** The imports of a text. */
export function importsOf(text: string): { readonly specifier: string; readonly isTypeOnly: boolean }[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "");
  return [
    ...Array.from(code.matchAll(IMPORT), ([, type, specifier = ""]) => ({
      specifier,
      isTypeOnly: type !== undefined,
    })),
    ...Array.from(code.matchAll(DYNAMIC), ([, specifier = ""]) => ({ specifier, isTypeOnly: false })),
  ];
}

/** Every source below `root`, relative to it. */
export function sourceFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
}

/** Every import of every file below `root`. */
export function readImportGraph(root: string): ImportEdge[] {
  return sourceFiles(root).flatMap((file) =>
    importsOf(readFileSync(join(root, file), "utf8")).map(({ specifier, isTypeOnly }) => {
      const isPackage = !specifier.startsWith(".");
      const to = isPackage ? packageOf(specifier) : relative(root, join(root, dirname(file), specifier));
      return { from: file, to, isPackage, isTypeOnly };
    }),
  );
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** What may import what. The first rule whose folder fits a file counts. */
export interface LayerRule {
  readonly folder: string;
  /** Folders of files that it may import. */
  readonly imports: readonly string[];
  /** Packages that it may import. */
  readonly packages: readonly string[];
}

/** The imports that no rule allows, as `from -> to`. */
export function violationsOf(edges: readonly ImportEdge[], rules: readonly LayerRule[]): string[] {
  return edges
    .filter(({ from, to, isPackage }) => {
      const rule = rules.find(({ folder }) => from.startsWith(folder));
      if (rule === undefined) return true;
      return isPackage ? !rule.packages.includes(to) : !rule.imports.some((folder) => to.startsWith(folder));
    })
    .map(({ from, to }) => `${from} -> ${to}`);
}

/** A cycle of files, as a path; `null` where there is none. Types are erased, so they make none. */
export function cycleOf(edges: readonly ImportEdge[]): string[] | null {
  const graph = Map.groupBy(
    edges.filter(({ isPackage, isTypeOnly }) => !isPackage && !isTypeOnly),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const { to } of graph.get(file) ?? []) {
      const cycle = visit(to, [...path, file]);
      if (cycle !== null) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** The files that are imported from `roots`, directly or not, for their code or for their types; and the roots. */
export function reachableFrom(roots: readonly string[], edges: readonly ImportEdge[]): ReadonlySet<string> {
  const graph = Map.groupBy(
    edges.filter(({ isPackage }) => !isPackage),
    ({ from }) => from,
  );
  const reached = new Set(roots);
  // A set that grows while it is walked is walked to its end.
  for (const file of reached) for (const { to } of graph.get(file) ?? []) reached.add(to);
  return reached;
}
