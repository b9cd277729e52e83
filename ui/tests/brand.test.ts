import { readFileSync } from "node:fs";
import { join } from "node:path";

import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { ACCENTS, accentOf, contrastOf, knownAccent } from "../src/app/brand";
import { openWindow } from "./window";

const THEMES = ["light", "dark"] as const;
const TOKENS = readFileSync(join(import.meta.dirname, "../src/design/tokens.css"), "utf8");

/** The value of a token in a theme, as the style sheet has it. */
function token(name: string, theme: (typeof THEMES)[number]): string {
  const [light = "", dark = ""] = TOKENS.split('[data-theme="dark"]');
  const find = (text: string) => new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(text)?.[1];
  const value = (theme === "dark" ? find(dark) : undefined) ?? find(light);
  if (value === undefined) throw new Error(`no token ${name}`);
  return value;
}

const CASES = ACCENTS.flatMap((name) => THEMES.map((theme) => [name, theme] as const));

test.each(CASES)("%s can be read in the %s theme", (name, theme) => {
  const { accent, ink, soft } = accentOf(name, theme);
  const check = (text: string, ground: string) =>
    expect(contrastOf(text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  for (const ground of ["paper", "ground"]) check(accent, token(ground, theme));
  check(accent, soft);
  check(ink, accent);
  check(token("ink", theme), soft);
});

test.each(THEMES)("the house's own colour is that of the style sheet in the %s theme", (theme) => {
  expect(accentOf("teal", theme)).toEqual({
    accent: token("accent", theme),
    ink: token("accent-ink", theme),
    soft: token("accent-soft", theme),
    line: token("accent-line", theme),
  });
});

test("a colour that is in no palette is the house's own", () => {
  for (const kept of ["#1257b8", null, undefined, 7]) expect(knownAccent(kept)).toBe("teal");
  expect(knownAccent("slate")).toBe("slate");
});

async function settings() {
  const window = await openWindow("counter");
  await window.screen.findByRole("combobox");
  await window.user.keyboard("{F9}");
  await window.screen.findByRole("heading", { name: "屏幕与声音" });
  return window;
}

const accentWorn = () => document.documentElement.style.getPropertyValue("--accent");

test("colour and short name are the shop's, chosen with a manager's PIN", async () => {
  const { user, screen, counter } = await settings();
  await user.click(screen.getByRole("button", { name: "门店品牌" }));
  const name = await screen.findByRole("textbox", { name: "招牌名（可不填）" });
  await user.type(name, "简单美发造型护理养生会所店");
  await user.click(screen.getByRole("radio", { name: "玫红" }));
  const save = screen.getByRole("button", { name: "保存" });
  await user.click(save);
  expect(await screen.findByText("最多 12 个字")).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
  await user.clear(name);
  await user.type(name, "简单");
  await user.click(save);
  const dialog = within(await screen.findByRole("dialog", { name: "店长确认" }));
  dialog.getByText("门店颜色改为玫红，招牌名为“简单”");
  expect(accentWorn()).toBe("");
  await user.type(dialog.getByRole("textbox", { name: "店长工号" }), "2001");
  await user.type(dialog.getByLabelText(/PIN/), "2001{Enter}");
  const brand = { accent: "rose", short_name: "简单" } as const;
  await waitFor(() => expect(counter.books.rules.brand).toEqual(brand));
  await waitFor(() => expect(accentWorn()).toBe(accentOf("rose", "light").accent));
  await user.keyboard("{F12}");
  await screen.findByRole("heading", { name: "简单" });
  expect(screen.getByText(/简单美发 · 天河店 · /)).toBeTruthy();
});

test("volume and mute are one choice", async () => {
  const { user, screen, counter } = await settings();
  const saved = () => counter.books.session.settings;
  await user.click(screen.getByRole("radio", { name: "轻" }));
  await waitFor(() => expect(saved()).toMatchObject({ sound: true, volume_percent: 30 }));
  await user.click(screen.getByRole("radio", { name: "静音" }));
  await waitFor(() => expect(saved()).toMatchObject({ sound: false, volume_percent: 30 }));
  expect(screen.getByRole("radio", { name: "静音" })).toHaveProperty("checked", true);
});
