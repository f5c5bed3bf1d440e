/** The package as npm would publish it, unpacked where an app would have it installed. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** What an app has installed beside the package. */
const NEIGHBOURS = [
  "react",
  "react-dom",
  "scheduler",
  "zustand",
  "@tanstack",
  "eventsource-parser",
  "redis",
  "@redis",
  "ioredis",
  "@hono",
  "hono",
  "@types",
  "undici-types",
  "vitest",
];

/** An entry of the package's `exports`. */
export interface PackageEntry {
  /** As users import it: `rejoin/server`. */
  readonly name: string;
  /** The files, relative to the package. */
  readonly types: string;
  readonly file: string;
}

/** An app's folder with the package in its `node_modules`. */
export interface PackedPackage {
  readonly appFolder: string;
  readonly packageFolder: string;
  readonly tarball: Uint8Array;
  /** Every file in the tarball, relative to the package. */
  readonly files: readonly string[];
  remove(): void;
}

/** Every entry point but `./package.json`. */
export function packageEntries(): readonly PackageEntry[] {
  const { exports }: { exports: Record<string, { types: string; default: string } | string> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === "string"
      ? []
      : [{ name: path.replace(/^\./, "rejoin"), types: target.types, file: target.default }],
  );
}

/** Packs what is built, and installs it in a new folder. */
export function packPackage(): PackedPackage {
  const appFolder = mkdtempSync(join(tmpdir(), "rejoin-package-"));
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", appFolder], {
    cwd: root,
    encoding: "utf8",
  });
  const tarballPath = join(appFolder, packed.trim().split("\n").at(-1) ?? "");
  const modules = join(appFolder, "node_modules");
  const packageFolder = join(modules, "rejoin");
  mkdirSync(packageFolder, { recursive: true });
  execFileSync("tar", ["-xzf", tarballPath, "-C", packageFolder, "--strip-components=1"]);
  for (const name of NEIGHBOURS) {
    const target = join(root, "node_modules", name);
    if (existsSync(target)) symlinkSync(target, join(modules, name));
  }
  writeFileSync(join(appFolder, "package.json"), JSON.stringify({ type: "module" }));
  const listed = execFileSync("tar", ["-tzf", tarballPath], { encoding: "utf8" });
  return {
    appFolder,
    packageFolder,
    tarball: readFileSync(tarballPath),
    files: listed
      .trim()
      .split("\n")
      .map((path) => path.replace(/^package\//, "")),
    remove: () => rmSync(appFolder, { recursive: true, force: true }),
  };
}

/** What the compiler says, strictly, to files of the app; `""` where it has nothing to say. */
export function typeCheck({ appFolder }: PackedPackage, ...files: readonly string[]): string {
  const options = "--noEmit --strict --module nodenext --target es2023 --jsx react-jsx --types node,react";
  const libraries = "--lib es2024,dom,dom.iterable,dom.asynciterable --skipLibCheck";
  const { stdout, error } = spawnSync(
    join(root, "node_modules/.bin/tsc"),
    [...`${options} ${libraries}`.split(" "), ...files],
    { cwd: appFolder, encoding: "utf8" },
  );
  if (error !== undefined) throw error;
  return stdout;
}
