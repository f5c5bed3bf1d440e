/** The tests that touch a peer, on the older versions that `peers/package.json` names. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import peers from "./package.json" with { type: "json" };

const names = Object.keys(peers.dependencies).filter((name) => !name.startsWith("@types/"));

const resolve = {
  // A package, and what is in it.
  alias: names.map((name) => ({
    find: new RegExp(`^${name}(/.*)?$`),
    replacement: `${fileURLToPath(new URL(`node_modules/${name}`, import.meta.url))}$1`,
  })),
  // As CommonJS, the Testing Library would require the React that is installed beside it.
  mainFields: ["module", "main"],
};

// Node would give these the React that is installed beside them.
const server = { deps: { inline: [/@testing-library\/react/, /@tanstack\/react-query/, /zustand/] } };

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    projects: [
      {
        resolve,
        test: {
          name: "redis",
          environment: "node",
          include: [
            "test/support/older-versions.ts",
            "test/contract/redis*.test.ts",
            "test/end-to-end/redis-faults.test.ts",
            "test/end-to-end/redis-listening.test.ts",
          ],
        },
      },
      {
        resolve,
        test: {
          name: "react",
          environment: "jsdom",
          include: ["test/support/older-versions.ts", "test/**/*.dom.test.{ts,tsx}"],
          // Older majors hide nothing.
          exclude: ["test/client/react/hidden-components.dom.test.tsx"],
          server,
        },
      },
      {
        resolve,
        test: {
          name: "react-server",
          environment: "node",
          include: ["test/support/older-versions.ts", "test/client/react/server-rendering.test.tsx"],
          server,
        },
      },
    ],
  },
});
