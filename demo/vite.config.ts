import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const built = (path: string): string => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

/** Builds the page into `demo/dist`, against the built package, as its users have it. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [react()],
  resolve: {
    alias: [
      { find: /^rejoin$/, replacement: built("index.js") },
      {
        find: /^rejoin\/protocols\/assistant-stream$/,
        replacement: built("shared/protocols/assistant-stream/index.js"),
      },
    ],
  },
  build: { target: "es2023", outDir: "dist", emptyOutDir: true },
});
