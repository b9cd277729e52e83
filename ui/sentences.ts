import { readFileSync } from "node:fs";

import type { Plugin } from "vite";

/** Families of sentences that a screen brings with it, because few people ever open it. */
const LATER = /^set_up\./;
const PART = /^\0?virtual:sentences\/(first|later)$/;

/** Cuts the catalogue of the first page: what it loads at once, and what comes with a screen. */
export function sentences(): Plugin {
  const file = new URL("messages/zh-CN.json", import.meta.url);
  return {
    name: "sentences",
    resolveId: (id) => (PART.test(id) ? `\0${id}` : null),
    load(id) {
      const part = PART.exec(id)?.[1];
      if (part === undefined) return null;
      const all: Record<string, string> = JSON.parse(readFileSync(file, "utf8"));
      const kept = Object.entries(all).filter(([key]) => LATER.test(key) === (part === "later"));
      return `export default ${JSON.stringify(Object.fromEntries(kept))};`;
    },
  };
}
