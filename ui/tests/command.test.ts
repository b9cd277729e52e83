import { waitFor } from "@testing-library/dom";
import { expect, onTestFinished, test, vi } from "vitest";

import { scan } from "./scanner";
import { openWindow, serving } from "./window";

async function commanding(line: string) {
  const window = await openWindow("counter");
  await window.screen.findByRole("combobox", { name: "查找会员" });
  await window.user.keyboard("{Control>}k{/Control}");
  const field = await window.screen.findByRole("combobox", { name: /说清给谁/ });
  await waitFor(() => expect(document.activeElement).toBe(field));
  await window.user.type(field, line);
  return { ...window, field };
}

/** Steps over the moment in which a filled form must be read. */
function clock() {
  let nowMs = 1_000_000;
  const spy = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  onTestFinished(() => spy.mockRestore());
  return { pass: (ms: number) => (nowMs += ms) };
}

test("one line fills the ordinary form, and only Enter there charges", async () => {
  const time = clock();
  const { user, screen, counter } = await commanding("张伟 充 300 微信");
  expect(await screen.findByText(/给 张伟 充值 ¥300.00，微信。按 Enter 填好充值单/)).toBeTruthy();
  expect(counter.times("top_up_form") + counter.times("quote")).toBe(0);
  await user.keyboard("{Enter}");
  await screen.findByRole("heading", { name: "为 张伟 充值" });
  await screen.findByRole("button", { name: /收款 ¥300.00/ });
  expect(screen.getByRole("radio", { name: /¥300/ })).toHaveProperty("checked", true);
  expect(screen.getByRole("radio", { name: /微信/ })).toHaveProperty("checked", true);
  expect(counter.times("start_qr")).toBe(0);
  await user.keyboard("{Enter}");
  expect(counter.times("start_qr")).toBe(0);
  time.pass(700);
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("img", { name: /收款码/ })).toBeTruthy();
  expect(counter.times("start_qr")).toBe(1);
});

test("who only sounds like the name is marked, and taken when the cashier chooses", async () => {
  const { user, screen } = await commanding("张玮 充 300 微信");
  const option = await screen.findByRole("option", { name: /张伟.*听起来像/ });
  expect(option.getAttribute("aria-selected")).toBe("false");
  expect(screen.getByText(/没有叫“张玮”的会员/)).toBeTruthy();
  await user.keyboard("{Enter}");
  expect(screen.getByRole("dialog", { name: "一句话充值" })).toBeTruthy();
  await user.keyboard("{ArrowDown}{Enter}");
  await screen.findByRole("heading", { name: "为 张伟 充值" });
});

test("from another screen the keyboard is the form's as well", async () => {
  const time = clock();
  const { user, screen, counter } = await openWindow("counter");
  await screen.findByRole("combobox", { name: "查找会员" });
  await user.keyboard("{F7}");
  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: /说清给谁/ }), "zw 680 现金");
  await screen.findByText(/给 张伟 充值/);
  await user.keyboard("{Enter}");
  await screen.findByRole("button", { name: /收现金 ¥680.00/ });
  time.pass(700);
  await user.keyboard("{Enter}");
  await screen.findByRole("heading", { name: "现金已收，余额已更新" });
  expect(counter.times("pay_cash")).toBe(1);
});

test("the bonus of a package is not lost when its price is said", async () => {
  const { user, screen } = await commanding("zw 680 现金");
  await screen.findByText(/给 张伟 充值/);
  await user.keyboard("{Enter}");
  await screen.findByRole("button", { name: /收现金 ¥680.00/ });
  expect(screen.getByRole("radio", { name: /护发季卡/ })).toHaveProperty("checked", true);
});

test("an amount that is on no button is typed", async () => {
  const { user, screen } = await commanding("张伟 1234");
  await screen.findByText(/给 张伟 充值/);
  await user.keyboard("{Enter}");
  const field = await screen.findByRole("textbox", { name: "自定义金额" });
  await waitFor(() => expect(field).toHaveProperty("value", "1234"));
  expect(await screen.findByRole("button", { name: /收.*¥1,234.00/ })).toBeTruthy();
});

test("among several nothing is chosen until the cashier chooses", async () => {
  const { user, screen, field } = await commanding("5678 充 500");
  expect(await screen.findByText("有 2 种可能，请用 ↑ ↓ 选一个。")).toBeTruthy();
  await user.keyboard("{Enter}");
  expect(screen.getByRole("dialog", { name: "一句话充值" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "填好充值单" })).toHaveProperty("disabled", true);
  await user.keyboard("{ArrowDown}{ArrowDown}");
  const options = screen.getAllByRole("option");
  expect(field.getAttribute("aria-activedescendant")).toBe(options[1]?.id);
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "为 尉迟敏 充值" })).toBeTruthy();
});

test("a pointer chooses as well", async () => {
  const { user, screen } = await commanding("张伟 300 500");
  await user.click(await screen.findByRole("option", { name: /¥500.00/ }));
  expect(await screen.findByRole("radio", { name: /¥500/ })).toHaveProperty("checked", true);
});

test("what is no top-up is said and does nothing", async () => {
  const { user, screen, counter } = await commanding("张伟 退 300");
  expect(await screen.findByText(/这里只办充值/)).toBeTruthy();
  await user.keyboard("{Enter}");
  expect(counter.times("top_up_form")).toBe(0);
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

test("a method that the shop does not take is said on the form", async () => {
  const { user, screen, counter } = await commanding("张伟 充 300 刷卡");
  counter.books.channels = ["wechat", "cash"];
  await screen.findByText(/给 张伟 充值/);
  await user.keyboard("{Enter}");
  expect(await screen.findByText("本店不收刷卡。请选其他付款方式。")).toBeTruthy();
  expect(screen.getByRole("radio", { name: /¥300/ })).toHaveProperty("checked", true);
});

test("a late answer does not replace the reading of a newer line", async () => {
  const { user, screen, counter, field } = await commanding("张伟 300 500");
  await screen.findByText(/有 2 种可能/);
  const open = counter.hold("understand");
  await user.clear(field);
  await user.type(field, "尉迟敏");
  expect(screen.getByRole("button", { name: "填好充值单" })).toHaveProperty("disabled", true);
  open();
  expect(await screen.findByText(/打开 尉迟敏 的充值单/)).toBeTruthy();
  expect(screen.getAllByRole("option")).toHaveLength(1);
});

test("the member at the counter is meant when nobody is named", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: /说清给谁/ }), "充 300");
  const asked = counter.calls.filter(({ name }) => name === "understand").at(-1);
  expect(asked?.payload).toEqual({ text: "充 300", member_id: "12" });
});

test("a scan changes nothing in the line, and gives nobody the counter", async () => {
  const { screen, field, counter, desk } = await commanding("张伟 充 300");
  scan("00201-8812", 10);
  await screen.findByText(/请先办完或关掉打开的小窗，再扫一次/);
  expect(field).toHaveProperty("value", "张伟 充 300");
  expect([desk.commanding, counter.times("top_up_form")]).toEqual([true, 0]);
});
