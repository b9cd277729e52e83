import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { scan } from "./scanner";
import { openWindow } from "./window";

async function registering(typed: string) {
  const window = await openWindow("counter");
  const search = await window.screen.findByRole("combobox", { name: "查找会员" });
  await window.user.type(search, typed);
  await window.screen.findByText(/没有找到/);
  await window.user.keyboard("{Enter}");
  await window.screen.findByRole("dialog", { name: "新建会员" });
  const phone = window.screen.getByRole("textbox", { name: "手机号" });
  const name = window.screen.getByRole("textbox", { name: "姓名" });
  return { ...window, phone, name };
}

test("nobody found, Enter, the name, Enter: a member at the counter", async () => {
  const { user, screen, counter, name, phone } = await registering("13800001111");
  expect(phone).toHaveProperty("value", "13800001111");
  await waitFor(() => expect(document.activeElement).toBe(name));
  await user.type(name, "赵敏");
  await waitFor(() =>
    expect(screen.getByRole("button", { name: "登记" })).toHaveProperty("disabled", false),
  );
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "为 赵敏 充值" })).toBeTruthy();
  expect(screen.getByText(/已登记 赵敏/)).toBeTruthy();
  expect(document.activeElement).toBe(document.body);
  const sent = counter.calls.filter((call) => call.name === "create_member");
  expect(sent).toHaveLength(1);
  expect(sent[0]?.payload).toMatchObject({ name: "赵敏", phone: "13800001111", card_no: "" });
});

test("a card that is scanned while the name is typed is the card, and registers nobody", async () => {
  const { user, screen, counter, name } = await registering("13800001111");
  const card = screen.getByRole("textbox", { name: /会员卡号/ });
  await user.type(name, "赵敏");
  for (const pace of [10, 60]) {
    await user.clear(card);
    name.focus();
    scan("VIP-0088", pace);
    await waitFor(() => expect(card).toHaveProperty("value", "VIP-0088"));
    expect(name).toHaveProperty("value", "赵敏");
    expect(document.activeElement).toBe(name);
  }
  expect(counter.times("create_member")).toBe(0);
  await user.keyboard("{Enter}");
  await screen.findByText(/已登记 赵敏/);
  const sent = counter.calls.filter((call) => call.name === "create_member");
  expect(sent.map(({ payload }) => payload)).toMatchObject([{ name: "赵敏", card_no: "VIP-0088" }]);
});

test("a card as long as a payment code is scanned into place, a known payment code is not", async () => {
  const { screen, counter } = await registering("13800001111");
  const card = screen.getByRole("textbox", { name: /会员卡号/ });
  scan("9876543210987654");
  await waitFor(() => expect(card).toHaveProperty("value", "9876543210987654"));
  scan("134567890123456789");
  await screen.findByText(/付款码没有扣款。请先回答屏幕上的问题/);
  expect(card).toHaveProperty("value", "9876543210987654");
  expect(counter.times("create_member")).toBe(0);
});

test("a name that nobody has begins with the name", async () => {
  const { name, phone } = await registering("赵敏");
  expect(name).toHaveProperty("value", "赵敏");
  await waitFor(() => expect(document.activeElement).toBe(phone));
});

test("a phone that is registered shows its member, and Enter opens that one", async () => {
  const { user, screen, counter, phone } = await registering("赵敏");
  await user.type(phone, "138 0000 5678");
  expect(await screen.findByText("这位顾客已经是会员")).toBeTruthy();
  expect(screen.getByRole("button", { name: "登记" })).toHaveProperty("disabled", true);
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "为 张伟 充值" })).toBeTruthy();
  expect(counter.times("create_member")).toBe(0);
});

test("a namesake is shown and stops nobody", async () => {
  const { user, screen, counter, name } = await registering("13800001111");
  await user.type(name, "张伟");
  expect(await screen.findByText(/同名会员 1 位/)).toBeTruthy();
  await user.keyboard("{Enter}");
  await screen.findByText(/已登记 张伟/);
  expect(counter.times("create_member")).toBe(1);
});

test("a number half typed is not called wrong before it is meant", async () => {
  const { user, screen, phone } = await registering("赵敏");
  await user.type(phone, "1380");
  expect(phone.getAttribute("aria-invalid")).toBe("false");
  await user.keyboard("{Enter}");
  expect(await screen.findByText("手机号是 11 位，还没输完")).toBeTruthy();
  await user.clear(phone);
  await user.type(phone, "2");
  expect(await screen.findByText("不是手机号，请核对")).toBeTruthy();
});

test("pictures in a name are said next to it", async () => {
  const { user, screen, name } = await registering("13800001111");
  await user.type(name, "小美😀");
  expect(await screen.findByText("姓名里不能有表情符号")).toBeTruthy();
  expect(screen.getByRole("button", { name: "登记" })).toHaveProperty("disabled", true);
});

test("a double Enter registers once", async () => {
  const { user, screen, counter, name } = await registering("13800001111");
  const open = counter.hold("create_member");
  await user.type(name, "赵敏");
  await user.keyboard("{Enter}{Enter}");
  await waitFor(() => expect(counter.times("create_member")).toBe(1));
  open();
  await screen.findByText(/已登记 赵敏/);
  expect(counter.times("create_member")).toBe(1);
});

test("a refusal is said and can be tried again with the same intent", async () => {
  const { user, screen, counter, name } = await registering("13800001111");
  counter.refuse("create_member", { code: "disk_full", message_key: "error.disk_full" });
  await user.type(name, "赵敏");
  await user.keyboard("{Enter}");
  await screen.findByRole("alert");
  await user.keyboard("{Enter}");
  await screen.findByText(/已登记 赵敏/);
  const intents = counter.calls
    .filter((call) => call.name === "create_member")
    .map(({ payload }) => (payload as { intent: string }).intent);
  expect(new Set(intents).size).toBe(1);
});

test("the empty counter shows how to register, and which key belongs to what", async () => {
  const { user, screen, desk } = await openWindow("counter");
  await screen.findByRole("combobox", { name: "查找会员" });
  const register = screen.getByRole("button", { name: "新建会员" });
  expect(register.getAttribute("aria-keyshortcuts")).toBe("Control+N");
  expect(register.textContent).toContain("Ctrl N");
  const line = screen.getByRole("button", { name: "一句话充值" });
  expect(line.textContent.replace(/\s+/g, " ").trim()).toBe("一句话充值 Ctrl K");
  await user.click(register);
  const dialog = await screen.findByRole("dialog", { name: "新建会员" });
  desk.registering = null;
  await waitFor(() => expect(dialog.isConnected).toBe(false));
  await user.keyboard("zw");
  expect(screen.getByRole("combobox", { name: "查找会员" })).toHaveProperty("value", "zw");
});
