import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import type { SceneName } from "../src/platform/demo/scenes";
import { openWindow } from "./window";

const TROUBLES: [SceneName, string, boolean][] = [
  ["key_lost", "本机的钥匙不见了", true],
  ["database_unreadable", "数据打不开", true],
  ["database_corrupt", "数据库文件已损坏", false],
  ["vault_corrupt", "钥匙文件已损坏", true],
  ["disk_full", "硬盘满了", false],
  ["newer_version", "数据由更新的版本写入", false],
  ["folder_unusable", "数据文件夹不能使用", false],
];

const JOINING: [SceneName, string][] = [
  ["code_unreadable", "登记码不完整"],
  ["code_foreign", "服务器不认识这个登记码"],
  ["code_used", "登记码已被使用"],
  ["code_expired", "登记码已过期"],
  ["server_unreachable", "连不上门店服务器"],
  ["server_untrusted", "应答的不是本店的服务器"],
];

test.each(TROUBLES)("%s is said in plain words", async (scene, title, recoverable) => {
  const { screen } = await openWindow(scene);
  expect(await screen.findByRole("heading", { name: title })).toBeTruthy();
  expect(screen.getByText("没有改动或覆盖任何数据。")).toBeTruthy();
  expect(screen.queryByRole("textbox", { name: "恢复码" }) !== null).toBe(recoverable);
  expect(screen.queryByRole("textbox", { name: "登记码" })).toBeNull();
});

test.each(JOINING)("%s asks for the enrolment code", async (scene, title) => {
  const { user, screen } = await openWindow(scene);
  expect(await screen.findByRole("heading", { name: title })).toBeTruthy();
  // A scanner types the code and Enter, wherever the focus is; the next code replaces the last.
  const field = screen.getByRole("textbox", { name: "登记码" });
  await waitFor(() => expect(document.activeElement).toBe(field));
  await user.keyboard("QT{Enter}");
  expect(await screen.findByRole("heading", { name: "登记码不完整" })).toBeTruthy();
  await waitFor(() => expect((field as HTMLInputElement).selectionEnd).toBe(2));
  await user.keyboard("QTE1hHgZ{Enter}");
  expect(await screen.findByText("谁来收银？")).toBeTruthy();
});

test("trouble that is still there after another try is said so", async () => {
  const { user, screen } = await openWindow("disk_full");
  const again = await screen.findByRole("button", { name: "再试一次" });
  expect(screen.queryByText(/情况没有变/)).toBeNull();
  await user.click(again);
  expect((await screen.findByText(/情况没有变/)).getAttribute("role")).toBe("status");
  expect(screen.getByRole("heading", { name: "硬盘满了" })).toBeTruthy();
});

test("the recovery code is left only with its last group", async () => {
  const { user, screen } = await openWindow("keep_code");
  const field = await screen.findByRole("textbox", { name: /最后一组/ });
  await user.type(field, "AAAA{Enter}");
  await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
  await user.clear(field);
  await user.type(field, "9wxz{Enter}");
  expect(await screen.findByText("谁来收银？")).toBeTruthy();
});

test("a wrong PIN counts down and then locks", async () => {
  const { user, screen } = await openWindow("sign_in");
  await screen.findByText("谁来收银？");
  await user.keyboard("1");
  await user.keyboard("9999{Enter}");
  expect(await screen.findByText("PIN 不对，还可以试 4 次")).toBeTruthy();
  for (let turn = 0; turn < 4; turn++) {
    await user.keyboard("9999{Enter}");
    await waitFor(() => expect(screen.getByRole("img", { name: "已输入 0 位" })).toBeTruthy());
  }
  expect((await screen.findByRole("alert")).textContent).toMatch(/已锁定，(10:00|09:59) 后再试/);
});

test("a shift opens by keyboard alone", async () => {
  const { user, screen, counter } = await openWindow("sign_in");
  await screen.findByText("谁来收银？");
  await user.keyboard("1");
  await user.keyboard("1001{Enter}");
  await screen.findByRole("textbox", { name: "¥100" });
  await user.keyboard("3{Enter}2{Enter}");
  expect(screen.getByText("¥400.00")).toBeTruthy();
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(await screen.findByRole("combobox")).toBeTruthy();
  expect(counter.books.session.shift?.float_fen).toBe(40_000);
});

test("locking keeps the screen for the next person", async () => {
  const { user, screen } = await openWindow("counter");
  await user.type(await screen.findByRole("combobox"), "张伟{Enter}");
  await screen.findByRole("heading", { name: /为 张伟 充值/ });
  await user.keyboard("{F12}");
  await screen.findByText("谁来收银？");
  await user.keyboard("2");
  await user.keyboard("1002{Enter}");
  expect(await screen.findByRole("heading", { name: /为 张伟 充值/ })).toBeTruthy();
});

test("the language changes at once, without reload", async () => {
  const { user, screen } = await openWindow("counter");
  await screen.findByRole("combobox");
  await user.keyboard("{F9}");
  const languages = await screen.findByRole("group", { name: "语言" });
  await user.click(within(languages).getByRole("radio", { name: "English" }));
  expect(await screen.findByRole("heading", { name: "Settings" })).toBeTruthy();
  expect(document.documentElement.lang).toBe("en");
});
