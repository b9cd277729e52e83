import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { openWindow } from "./window";

async function opened() {
  const window = await openWindow("counter");
  await window.screen.findByRole("combobox");
  await window.user.keyboard("{F9}");
  await window.user.click(await window.screen.findByText("第二份记录"));
  const field = await window.screen.findByRole("textbox", { name: "文件夹" });
  const save = () => window.screen.getByRole("button", { name: "试写并保存" });
  const set = async (folder: string) => {
    await window.user.clear(field);
    await window.user.type(field, folder);
    await window.user.click(save());
  };
  return { ...window, field, save, set };
}

test("a folder is tried before it is kept", async () => {
  const { screen, set, save, counter, user } = await opened();
  expect((save() as HTMLButtonElement).disabled).toBe(true);
  await set("stick");
  expect(await screen.findByText(/请填完整路径/)).toBeTruthy();
  await set("/none");
  expect(await screen.findByText(/没有这个文件夹/)).toBeTruthy();
  await set("/media/usb");
  expect(await screen.findByText("全部都有第二份。")).toBeTruthy();
  expect(counter.books.copy.folder).toBe("/media/usb");
  await user.click(screen.getByRole("button", { name: "不再另存" }));
  await waitFor(() => expect(counter.books.copy.folder).toBeNull());
});

test.each([
  ["/gone/usb", /文件夹不见了/, /3 笔没有第二份/],
  ["/own/disk", /自己的磁盘上/, /全部都有第二份/],
])("trouble with %s is told in the settings and in the pill", async (folder, why, how) => {
  const { screen, set } = await opened();
  const pill = await screen.findByTitle(/同步/);
  expect(pill.textContent).not.toContain("第二份");
  await set(folder);
  expect(await screen.findByText(why)).toBeTruthy();
  expect(screen.getByText(how)).toBeTruthy();
  await waitFor(() => expect(pill.textContent).toContain("第二份有问题"));
});
