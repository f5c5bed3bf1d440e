import type { Preview } from "@storybook/react-vite";
import "../../demo/client/styles/index.css";
import "../stories.css";

const preview: Preview = {
  parameters: { layout: "fullscreen", controls: { expanded: true } },
};

export default preview;
