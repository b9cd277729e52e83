import { within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { openWindow } from "./window";

const PIN = "2001";

async function opened() {
  const window = await openWindow("accounts_there");
  await window.screen.findByRole("navigation", { name: "主导航" });
  await window.user.keyboard("{F9}");
  await window.user.click(await window.screen.findByRole("button", { name: "收银机" }));
  return window;
}

test("a code is made by a PIN, whatever stood in its way", async () => {
  const { screen, user, counter } = await opened();
  await user.click(await screen.findByRole("button", { name: "登记一台新收银机" }));
  const dialog = within(await screen.findByRole("dialog", { name: "登记一台新收银机" }));
  await user.type(dialog.getByLabelText("你的 PIN"), "1{Enter}");
  expect(await dialog.findByText(/PIN 不对/)).toBeTruthy();
  expect(dialog.queryByRole("img", { name: "登记码" })).toBeNull();
  counter.refuse("invite_terminal", {
    code: "server_unreachable",
    message_key: "error.terminals_unreachable",
  });
  await user.type(dialog.getByLabelText("你的 PIN"), `${PIN}{Enter}`);
  expect((await dialog.findByRole("alert")).textContent).toContain("服务器没有回答");
  await user.type(dialog.getByLabelText("你的 PIN"), `${PIN}{Enter}`);
  expect(await dialog.findByRole("img", { name: "登记码" })).toBeTruthy();
  expect(dialog.getByText(/^QTE1/)).toBeTruthy();
});

test("a till goes with a reason, and never the one that is worked at", async () => {
  const { screen, user } = await opened();
  expect(await screen.findByText("停用原因：丢失")).toBeTruthy();
  expect(screen.getByText("2 笔记录等人核对，没有入账。")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "停用 01 号机" })).toBeNull();
  expect(screen.queryByRole("button", { name: "停用 03 号机" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "停用 02 号机" }));
  const dialog = within(await screen.findByRole("dialog", { name: "停用 02 号机" }));
  await user.type(dialog.getByLabelText("你的 PIN"), `${PIN}{Enter}`);
  expect(await dialog.findByText("请写明停用的原因。")).toBeTruthy();
  await user.type(dialog.getByRole("textbox", { name: "原因" }), "送修{Enter}");
  expect(await screen.findByText("停用原因：送修")).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(await screen.findByText("02 号机已停用。")).toBeTruthy();
});
