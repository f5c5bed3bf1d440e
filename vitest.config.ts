import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          environment: "node",
          include: ["test/**/*.test.{ts,tsx}"],
          exclude: ["test/browser/**", "test/package/**", "test/**/*.dom.test.{ts,tsx}"],
        },
      },
      {
        test: {
          name: "dom",
          environment: "jsdom",
          include: ["test/**/*.dom.test.{ts,tsx}"],
        },
      },
      {
        // Tests in Node that drive a page in Chromium.
        test: {
          name: "browser",
          environment: "node",
          include: ["test/browser/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Tests of what is built, as its users get it.
        test: {
          name: "package",
          environment: "node",
          include: ["test/package/**/*.test.ts"],
          // `npm start` may build what others pack.
          fileParallelism: false,
          testTimeout: 120_000,
        },
      },
    ],
  },
});
