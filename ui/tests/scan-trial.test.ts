import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { RHYTHM } from "../src/app/scan-rhythm";
import { longestPauseMs, trialOf } from "../src/features/settings/scan-trial";
import { scan } from "./scanner";
import { openWindow } from "./window";

test.each([
  ["a scanner", [0, 10, 20, 30, 40, 50, 60], { characters: 6, verdict: "scan" }, 10],
  ["one that pauses as long as it may", [0, 80, 160, 240, 320, 400, 480], { verdict: "scan" }, 80],
  ["a longer pause before Enter", [0, 10, 20, 30, 40, 50, 131], { verdict: "too_slow" }, 81],
  ["too few characters", [0, 10, 20, 30, 40, 50], { characters: 5, verdict: "too_short" }, 10],
  ["Enter alone", [0], { characters: 0, verdict: "too_short" }, 0],
])("%s", (_, keysAt, expected, pause) => {
  const trial = trialOf(keysAt, RHYTHM);
  expect(trial).toMatchObject(expected);
  expect(longestPauseMs(trial)).toBe(pause);
});

test("the rhythm is set after a trial that looks for nobody", async () => {
  const { user, screen, counter, desk } = await openWindow("counter");
  await screen.findByRole("combobox");
  await user.keyboard("{F9}");
  await user.click(await screen.findByRole("button", { name: "收银设置" }));
  const field = await screen.findByRole("textbox", { name: "试一试" });
  await user.click(field);
  scan("130000000000000000", 100);
  await screen.findByText(
    "认作打字：18 个字符，最长间隔 100 毫秒。这是扫出来的话，请把间隔调到 100 毫秒以上。",
  );
  await user.click(screen.getByRole("radio", { name: "120 毫秒" }));
  await waitFor(() => expect(desk.session?.settings.scan_pause_max_ms).toBe(120));
  expect(counter.books.session.settings.scan_pause_max_ms).toBe(120);
  await user.click(field);
  scan("130000000000000000", 100);
  await screen.findByText("认作扫码：18 个字符，最长间隔 100 毫秒。");
  expect(counter.times("read_scan")).toBe(0);

  // Away from the field a scanner as slow as that works as the setting says.
  await user.click(screen.getByRole("heading", { name: "设置" }));
  expect(desk.scans.isTried).toBe(false);
  scan("130000000000000000", 100);
  expect(counter.times("read_scan")).toBe(1);
});
