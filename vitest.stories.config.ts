/** The stories as tests, in real Chromium. A file of its own: Storybook's plugin would slow down all other tests. */
import { storybookTest } from "@storybook/addon-vitest/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumArgs, chromiumPath } from "./test/support/chromium.ts";

export default defineConfig({
  plugins: [storybookTest({ configDir: "storybook/.storybook" })],
  test: {
    name: "stories",
    browser: {
      enabled: true,
      headless: true,
      provider: playwright({ launchOptions: { executablePath: chromiumPath(), args: [...chromiumArgs] } }),
      instances: [{ browser: "chromium" }],
    },
  },
});
