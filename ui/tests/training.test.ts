import { expect, test } from "vitest";

import { openWindow } from "./window";

test("an open shop leads to training beside it, and training to no second one", async () => {
  const { user, screen, counter, desk } = await openWindow("counter");
  desk.boot = { ...desk.boot!, training: null };
  await screen.findByRole("combobox");
  await user.keyboard("{F9}");
  const open = await screen.findByRole("button", { name: "打开练习" });
  await user.click(open);
  expect(await screen.findByText(/练习窗口正在打开/)).toBeTruthy();
  expect(counter.trained).toEqual(["zh-CN"]);
  await user.click(open);
  expect(await screen.findByText("练习窗口已经打开。")).toBeTruthy();
  expect(desk.screen).toBe("settings");

  desk.boot = { ...desk.boot, training: counter.books.boot.training };
  await expect.poll(() => screen.queryByRole("button", { name: "打开练习" })).toBeNull();
});
