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
    // The counter's window, and the customer's display.
    rollupOptions: { input: ["index.html", "customer.html"] },
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
