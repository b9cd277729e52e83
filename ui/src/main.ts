import "./design/tokens.css";
import "./design/base.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { Desk } from "./app/desk.svelte";
import { dressFirstFrame } from "./app/dress";
import { learnAll, speak } from "./i18n/index.svelte";
import type { Host } from "./platform/host";
import { tauriHost } from "./platform/tauri";

async function findHost(): Promise<Host> {
  if (import.meta.env.MODE === "production") return tauriHost;
  const { bridge } = await import("./platform/bridge");
  return bridge();
}

const language = dressFirstFrame();
const desk = new Desk(await findHost());
// The first frame speaks the language of the shop, and no other for a moment.
await desk.attempt(() => speak(language));
const target = document.getElementById("app");
if (target === null) throw new Error("index.html lost its #app");
mount(App, { target, props: { desk } });
void desk.attempt(() => desk.start());
// Slices of the bundled font are only fetched for characters that no system font has.
setTimeout(() => void import("@fontsource-variable/noto-sans-sc/wght.css"), 500);
setTimeout(() => void desk.attempt(learnAll), 500);
