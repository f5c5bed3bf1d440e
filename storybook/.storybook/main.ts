/** Storybook's configuration. Stories run against the sources, so they need no build. */
import { fileURLToPath } from "node:url";
import type { StorybookConfig } from "@storybook/react-vite";
import { mergeConfig } from "vite";

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

const config: StorybookConfig = {
  framework: "@storybook/react-vite",
  stories: ["../*.stories.tsx"],
  addons: ["@storybook/addon-vitest"],
  core: { disableTelemetry: true, disableWhatsNewNotifications: true },
  viteFinal: (base) =>
    mergeConfig(base, {
      resolve: {
        alias: [
          { find: /^rejoin$/, replacement: source("index.ts") },
          { find: /^rejoin\/server$/, replacement: source("server/index.ts") },
          {
            find: /^rejoin\/protocols\/assistant-stream$/,
            replacement: source("shared/protocols/assistant-stream/index.ts"),
          },
        ],
      },
    }),
};

export default config;
