import { defineConfig } from "vite";

/** One plain script to be injected into the window by tests; shops never get it. */
export default defineConfig({
  // A library build leaves this to its consumer; the window has no such variable.
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: "dist-testkit",
    target: ["safari16", "chrome110"],
    lib: {
      entry: "testkit/testkit.ts",
      formats: ["iife"],
      name: "QiantaiTestkit",
      fileName: () => "testkit.js",
    },
    reportCompressedSize: false,
  },
});
