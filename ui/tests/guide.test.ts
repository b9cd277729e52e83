import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { openWindow } from "./window";

/** 张伟 before a cashier who is led. */
async function led(scene: Parameters<typeof openWindow>[0] = "counter") {
  const window = await openWindow(scene);
  window.counter.books.session.guided = true;
  await window.desk.refreshSession();
  await window.user.type(await window.screen.findByRole("combobox"), "张伟{Enter}");
  await window.screen.findByRole("list", { name: "充值步骤" });
  return window;
}

const step = () => document.querySelector("[aria-current=step]")?.textContent.trim();
const said = (text: string) =>
  waitFor(() =>
    expect(document.querySelector("[aria-live=assertive]")?.textContent).toContain(text),
  );

test("three steps by keyboard: amount, method, confirm", async () => {
  const { user, screen, counter } = await led();
  expect(step()).toContain("选金额");
  await said("第 1 步，共 3 步：选金额");
  expect(screen.queryByRole("radio", { name: /微信/ })).toBeNull();
  await user.keyboard("1");
  await said("第 2 步，共 3 步：付款方式");
  expect(screen.queryByRole("radio", { name: /¥300/ })).toBeNull();
  await waitFor(() => expect(document.activeElement?.matches("input:checked")).toBe(true));
  await user.keyboard("a");
  await said("第 3 步，共 3 步：确认收款");
  expect(counter.times("start_qr")).toBe(0);
  const list = screen.getByRole("list", { name: "充值步骤" });
  expect(within(list).getByRole("button", { name: /¥300/ })).toBeTruthy();
  expect(within(list).getByRole("button", { name: /支付宝/ })).toBeTruthy();
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("img", { name: /收款码/ })).toBeTruthy();
  expect(counter.books.orders[0]).toMatchObject({ pay_fen: 30_000, channel: "alipay" });
});

test("the keys of the form that shows all work as well: amount, cash, what was received", async () => {
  const { user, screen, counter } = await led();
  await user.keyboard("2c");
  const cash = await screen.findByRole("textbox", { name: "实收现金" });
  await waitFor(() => expect(document.activeElement).toBe(cash));
  await user.keyboard("600{Enter}");
  await screen.findByRole("heading", { name: "现金已收，余额已更新" });
  expect(counter.books.orders[0]).toMatchObject({ pay_fen: 50_000, change_fen: 10_000 });
});

test("Enter leads on and never charges what came up under it", async () => {
  const { user, screen, counter } = await led();
  await user.keyboard("0");
  await user.keyboard("1200{Enter}");
  await waitFor(() => expect(step()).toContain("付款方式"));
  await user.keyboard("{Enter}{Enter}");
  expect(step()).toContain("确认收款");
  expect(counter.times("start_qr")).toBe(0);
  await waitFor(async () => {
    await user.keyboard("{Enter}");
    expect(counter.times("start_qr")).toBe(1);
  });
  expect(await screen.findByRole("img", { name: /收款码/ })).toBeTruthy();
  expect(counter.books.orders[0]?.pay_fen).toBe(120_000);
});

test("Esc goes one step back, what was chosen stays, and then serves the next", async () => {
  const { user, screen } = await led();
  await user.keyboard("1w");
  await said("第 3 步");
  await user.keyboard("{Escape}");
  expect(step()).toContain("付款方式");
  await user.keyboard("{Escape}");
  expect(step()).toContain("选金额");
  expect(await screen.findByRole("radio", { name: /¥300/ })).toHaveProperty("checked", true);
  await user.keyboard("{Escape}");
  expect(await screen.findByRole("heading", { name: "请查找会员" })).toBeTruthy();
});

test("arrow keys look through amounts without leading on", async () => {
  const { user, screen } = await led();
  const first = screen.getByRole("radio", { name: /^¥300/ });
  first.focus();
  await user.keyboard("{ArrowRight}");
  expect(await screen.findByRole("radio", { name: /^¥500/ })).toHaveProperty("checked", true);
  expect(step()).toContain("选金额");
});

test("a click on an amount that is chosen already leads on", async () => {
  const { user, screen } = await led();
  await user.click(screen.getByRole("radio", { name: /^¥300/ }));
  await waitFor(() => expect(step()).toContain("付款方式"));
  await user.click(screen.getByRole("button", { name: /选金额/ }));
  await user.click(await screen.findByRole("radio", { name: /^¥300/ }));
  await waitFor(() => expect(step()).toContain("付款方式"));
});

test("without an amount there is nothing to lead on to, and a wrong one says why", async () => {
  const { user, screen } = await led();
  expect(screen.getByRole("button", { name: /下一步/ })).toHaveProperty("disabled", true);
  await user.keyboard("{Enter}");
  expect(step()).toContain("选金额");
  await user.keyboard("0");
  await user.type(screen.getByRole("textbox", { name: "自定义金额" }), "abc{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("请输入数字金额");
  await waitFor(() => expect(step()).toContain("选金额"));
});

test("G and the button switch it for this person alone, and what was chosen stays", async () => {
  const { user, screen, desk } = await led();
  await user.keyboard("1");
  await user.click(screen.getByRole("button", { name: /不用引导/ }));
  expect(screen.queryByRole("list", { name: "充值步骤" })).toBeNull();
  expect(screen.getByRole("radio", { name: /^¥300/ })).toHaveProperty("checked", true);
  await user.keyboard("g");
  expect(await screen.findByRole("list", { name: "充值步骤" })).toBeTruthy();
  await user.keyboard("g");
  await user.keyboard("{F12}");
  await screen.findByText("谁来收银？");
  await user.keyboard("2");
  await user.keyboard("1002{Enter}");
  expect(await screen.findByRole("list", { name: "充值步骤" })).toBeTruthy();
  expect(desk.guided).toBe(true);
});

test("the setting switches it for everybody", async () => {
  const { user, screen, desk } = await openWindow("counter");
  await screen.findByRole("combobox");
  expect(desk.guided).toBe(false);
  await user.keyboard("{F9}");
  await user.click(await screen.findByText("收银设置"));
  const guide = await screen.findByRole("group", { name: "分步引导充值" });
  await user.click(within(guide).getByRole("radio", { name: "一直" }));
  await waitFor(() => expect(desk.guided).toBe(true));
});

test("the last step has a way back on the screen, the form that shows all has none", async () => {
  const { user, screen, counter } = await led();
  await user.keyboard("1a");
  await said("第 3 步，共 3 步：确认收款");
  const back = await screen.findByRole("button", { name: "上一步" });
  expect(back.getAttribute("aria-keyshortcuts")).toBe("Esc");
  await user.click(back);
  await said("第 2 步，共 3 步：付款方式");
  expect(counter.times("start_qr")).toBe(0);
  await user.keyboard("g");
  await screen.findByRole("radio", { name: /¥300/ });
  expect(screen.queryByRole("button", { name: "上一步" })).toBeNull();
});
