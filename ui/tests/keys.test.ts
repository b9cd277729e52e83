import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { explained, SHORTCUTS, type Place } from "../src/app/shortcuts";
import { t } from "../src/i18n/index.svelte";
import { openWindow, serving } from "./window";

test("F1 shows every key of the table with what it does, and closing brings the work back", async () => {
  const { user, screen } = await serving();
  await user.keyboard("1{F1}");
  const dialog = await screen.findByRole("dialog", { name: "键盘快捷键" });
  for (const { place, shown, does } of explained()) {
    const region = within(dialog).getByRole("region", { name: t(`keys.at.${place}`) });
    const said = within(region).getAllByText(t(does));
    const line = said.find(({ tagName }) => tagName === "DD")!.closest("div")!;
    expect(line.querySelector("kbd")!.textContent).toBe(shown);
  }
  // Keys belong to the open map: nothing is chosen behind it.
  await user.keyboard("a");
  await user.click(within(dialog).getByRole("button", { name: /关闭/ }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(screen.getByRole("button", { name: /收款 ¥300/ })).toBeTruthy();
  expect(screen.getByRole("radio", { name: /微信/ })).toHaveProperty("checked", true);
});

test("F1 helps before the sign-in too", async () => {
  const { user, screen } = await openWindow("sign_in");
  await screen.findByText("谁来收银？");
  await user.keyboard("{F1}");
  expect(await screen.findByRole("dialog", { name: "键盘快捷键" })).toBeTruthy();
});

/** Places whose keys are at hand at the same time. */
const TOGETHER: Place[][] = [
  ["everywhere", "counter"],
  ["everywhere", "top_up"],
  ["everywhere", "paying"],
  ["everywhere", "success"],
  ["everywhere", "orders"],
];

test.each(TOGETHER)("no key does two things at once: %s, %s", (...places) => {
  const keys = Object.values(SHORTCUTS)
    .filter(({ place }) => places.includes(place))
    .flatMap((shortcut): readonly string[] => shortcut.keys);
  expect(new Set(keys).size).toBe(keys.length);
});

test("no screen keeps keys of its own beside the table", () => {
  const folder = join(import.meta.dirname, "../src/features");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const screens = files.filter((name) => name.endsWith(".svelte"));
  expect(screens.length).toBeGreaterThan(40);
  const own = /\b(key|aria-keyshortcuts)="|<Key name="/;
  expect(screens.filter((name) => own.test(readFileSync(join(folder, name), "utf8")))).toEqual([]);
});
