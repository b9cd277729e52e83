import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { sentences } from "./sentences.ts";

export default defineConfig({
  plugins: [sentences(), svelte()],
  // Tauri serves the pages from its own origin; relative addresses work there and from a folder.
  base: "./",
  build: {
    target: ["safari16", "chrome110"],
    outDir: "dist",
    rolldownOptions: {
      input: "index.html",
      // Each file is asked for by itself while the window opens, so what comes together is one.
      output: {
        codeSplitting: {
          groups: [
            { name: "first", test: /\/src\/(main\.ts|App\.svelte|design\/\w+\.css)$/ },
            {
              name: "counter",
              test: /\/features\/(frame\/Frame|scan\/Scanner|number-pad\/NumberPad)\.svelte$/,
            },
          ],
        },
      },
    },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  resolve: process.env["VITEST"] ? { conditions: ["browser"] } : {},
  test: {
    environment: "happy-dom",
    testTimeout: 30_000,
    include: ["tests/**/*.test.ts"],
  },
});
