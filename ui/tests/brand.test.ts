import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { accentOf, contrastOf, readColour } from "../src/app/brand";
import { openWindow } from "./window";

const COLOURS = ["#ffffff", "#000000", "#ffff00", "#00ff00", "#0000ff", "#ff0000", "#808080"];
const CASES = [...COLOURS, "#0b6b5d", "#e60012", "#ffd100"].flatMap((colour) =>
  (["light", "dark"] as const).map((theme) => [colour, theme] as const),
);

test.each(CASES)("%s can be read in the %s theme", (colour, theme) => {
  const { accent, ink, soft } = accentOf(colour, theme);
  const paper = theme === "light" ? "#ffffff" : "#1d1f1f";
  for (const ground of [paper, soft, ink])
    expect(contrastOf(accent, ground)).toBeGreaterThanOrEqual(4.5);
});

test("a colour that can be read already stays as it is", () => {
  expect(accentOf("#1257b8", "light").accent).toBe("#1257b8");
});

test.each([
  ["#0B6B5D", "#0b6b5d"],
  ["0b6b5d", "#0b6b5d"],
  [" ＃E60012 ", "#e60012"],
  ["red", null],
  ["#fff", null],
  ["#12345g", null],
  ["", null],
])("%s is read as %s", (text, expected) => {
  expect(readColour(text)).toBe(expected);
});

async function settings() {
  const window = await openWindow("counter");
  await window.screen.findByRole("combobox");
  await window.user.keyboard("{F9}");
  await window.screen.findByRole("heading", { name: "屏幕与声音" });
  return window;
}

const accentWorn = () => document.documentElement.style.getPropertyValue("--accent");

test("the shop's colour is worn at once, and what is none is said next to it", async () => {
  const { user, screen, counter } = await settings();
  await user.click(screen.getByRole("button", { name: "门店品牌" }));
  const field = await screen.findByRole<HTMLInputElement>("textbox", { name: "品牌色" });
  const use = screen.getByRole("button", { name: "使用此色" });
  await user.type(field, "蓝色");
  await user.click(use);
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText(/六位颜色代码/)).toBeTruthy();
  expect(counter.times("save_settings")).toBe(0);
  await user.clear(field);
  await user.type(field, "1257B8");
  await user.click(use);
  await waitFor(() => expect(counter.books.session.settings.accent).toBe("#1257b8"));
  await waitFor(() => expect(accentWorn()).toBe("#1257b8"));
  await user.click(screen.getByRole("radio", { name: "默认" }));
  await waitFor(() => expect(accentWorn()).toBe(""));
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
