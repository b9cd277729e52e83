// Photographs every screen and state from the demo counter and runs axe on each.
// usage: npm run screens -- [--out DIR] [--only NAME] [--looks zh-light,en-dark,…]
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { chromium } from "playwright-core";
import { build, preview } from "vite";

import { SCREENS } from "./screens-list.mjs";

const LOOKS = {
  "zh-light": { lang: "zh-CN", theme: "light", type: 100 },
  "en-light": { lang: "en", theme: "light", type: 100 },
  "zh-dark": { lang: "zh-CN", theme: "dark", type: 100 },
  "zh-150": { lang: "zh-CN", theme: "light", type: 150 },
  "en-150": { lang: "en", theme: "dark", type: 150 },
  "zh-small": { lang: "zh-CN", theme: "light", type: 100, width: 1024 },
  "en-small": { lang: "en", theme: "light", type: 100, width: 1024 },
};

const { values } = parseArgs({
  options: {
    out: { type: "string", default: "screens" },
    only: { type: "string" },
    looks: { type: "string", default: Object.keys(LOOKS).join(",") },
  },
});

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const demo = mkdtempSync(join(tmpdir(), "screens-"));
const quiet = { mode: "demo", logLevel: "error", build: { outDir: demo, emptyOutDir: true } };
await build(quiet);
const server = await preview({ ...quiet, preview: { port: 0 } });
const address = server.resolvedUrls?.local[0];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
mkdirSync(values.out, { recursive: true });

/** Rules of WCAG 2.2 AA; the page is a window of an application and has one landmark at most. */
async function accessibilityFaults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target}: ${failureSummary}`),
  );
}

/** What does not fit: the window itself must never scroll. */
const overflow = (page) =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
    const faults = [];
    if (scrollWidth > clientWidth)
      faults.push(`window is ${scrollWidth - clientWidth} px too wide`);
    if (scrollHeight > clientHeight)
      faults.push(`window is ${scrollHeight - clientHeight} px too high`);
    for (const element of document.querySelectorAll("#app *")) {
      const { overflowY, overflowX } = getComputedStyle(element);
      if (element.matches("[data-list], .unseen, .recent, table *")) continue;
      const high = element.scrollHeight - element.clientHeight;
      const wide = element.scrollWidth - element.clientWidth;
      const name = `${element.tagName.toLowerCase()}.${element.className}`;
      if (/auto|scroll/.test(overflowY) && high > 1) faults.push(`${name} scrolls by ${high} px`);
      if (/auto|scroll/.test(overflowX) && wide > 1)
        faults.push(`${name} scrolls aside ${wide} px`);
    }
    return faults;
  });

let faulty = 0;
for (const look of values.looks.split(",")) {
  const { lang, theme, type, width = 1366 } = LOOKS[look];
  const context = await browser.newContext({
    viewport: { width, height: 768 },
    reducedMotion: "reduce",
    locale: lang,
  });
  for (const [name, { scene, query = "", steps }] of Object.entries(SCREENS)) {
    if (values.only && !name.match(new RegExp(values.only))) continue;
    const page = await context.newPage();
    const shouts = [];
    page.on("pageerror", (error) => shouts.push(`error: ${error.message}`));
    page.on("console", (line) => line.type() === "error" && shouts.push(`console: ${line.text()}`));
    await page.goto(`${address}?scene=${scene}&lang=${lang}&theme=${theme}&type=${type}&${query}`);
    await page.waitForLoadState("networkidle");
    try {
      await steps?.(page, (keys) => page.keyboard.press(keys));
    } catch (error) {
      shouts.push(`steps: ${error.message.split("\n")[0]}`);
    }
    await page.waitForTimeout(250);
    await page.screenshot({ path: `${values.out}/${name}.${look}.png` });
    const scrolls = type === 100 ? await overflow(page) : [];
    const found = [...shouts, ...(await accessibilityFaults(page))];
    if (found.length > 0) faulty += 1;
    for (const fault of [...found, ...scrolls.map((line) => `note: ${line}`)])
      console.log(`${name}.${look}: ${fault}`);
    await page.close();
  }
  await context.close();
}
await browser.close();
await server.close();
rmSync(demo, { recursive: true });
console.log(faulty === 0 ? "no findings" : `${faulty} screens with findings`);
process.exit(faulty === 0 ? 0 : 1);
