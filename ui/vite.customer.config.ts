import { mergeConfig } from "vite";

import counter from "./vite.config.ts";

/** The customer's display, built apart from the counter's window so that both stay whole. */
export default mergeConfig(counter, {
  build: {
    rolldownOptions: { input: "customer.html", output: { codeSplitting: true } },
    emptyOutDir: false,
  },
});
