import { screen, waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { RHYTHM } from "../src/app/scan-rhythm";
import { keys, scan } from "./scanner";
import { openWindow, serving } from "./window";

const WECHAT = "134567890123456789";
const ALIPAY = "287654321098765432";
const ODD = "9876543210987654";
const CARD = "00201-8812";

async function paying() {
  const window = await serving();
  await window.user.keyboard("1w{Enter}");
  await window.screen.findByRole("img", { name: /收款码/ });
  return { ...window, order: window.counter.books.orders[0]! };
}

const said = (text: RegExp) =>
  waitFor(() => expect(document.querySelector("[role=log]")?.textContent).toMatch(text));
const values = () => [...document.querySelectorAll("input")].map((field) => field.value).join("|");

test.each([
  ["wechat", WECHAT],
  ["alipay", ALIPAY],
] as const)("with an amount chosen a %s code is charged at once", async (channel, code) => {
  const { screen, counter, user } = await serving();
  await user.click(screen.getByRole("radio", { name: /¥300/ }));
  scan(code, 50);
  expect(await screen.findByText("正在扣款，请稍候")).toBeTruthy();
  const { payload } = counter.calls.find(({ name }) => name === "start_code")!;
  expect(payload).toMatchObject({ channel, code, duplicate_confirmed: false });
  expect(counter.books.orders[0]?.pay_fen).toBe(30_000);
  expect(values()).not.toContain(code.slice(0, 6));
});

test("the digits of a code never change what is sold, nor the cash received", async () => {
  const { screen, counter, user } = await serving();
  await user.keyboard("1c");
  const cash = await screen.findByRole("textbox", { name: /实收/ });
  await waitFor(() => expect(document.activeElement).toBe(cash));
  scan(WECHAT);
  expect(await screen.findByText("正在扣款，请稍候")).toBeTruthy();
  expect(counter.books.orders[0]).toMatchObject({ pay_fen: 30_000, channel: "wechat" });
});

test("without an amount nothing is charged, and it is said", async () => {
  const { counter, desk } = await serving();
  scan(WECHAT);
  await said(/请先选金额/);
  expect(counter.times("start_code")).toBe(0);
  expect(desk.topUp.choice).toBeNull();
});

test("with an amount that cannot be charged nothing is charged, and it is said", async () => {
  const { counter, screen, user } = await serving();
  await user.type(await screen.findByRole("textbox", { name: "自定义金额" }), "0");
  scan(WECHAT);
  await said(/现在的金额不能收款/);
  expect(counter.times("start_code")).toBe(0);
});

test("a code replaces the QR code on the screen", async () => {
  const { screen, counter, order } = await paying();
  scan(ALIPAY);
  expect(await screen.findByText("正在扣款，请稍候")).toBeTruthy();
  expect(screen.queryByRole("img", { name: /收款码/ })).toBeNull();
  expect(counter.calls.at(-1)?.payload).toEqual({
    ...{ order_id: order.id, channel: "alipay", code: ALIPAY },
  });
});

test.each([
  ["unknown", /查询中，请勿重复收款/],
  ["reversing", /查询中，请勿重复收款/],
  ["charging", /正在用刚才的付款码扣款/],
  ["user_paying", /顾客正在手机上付款/],
  ["ended", /没有等待付款的订单/],
] as const)("a code during %s is refused in words", async (stage, words) => {
  const { counter, order } = await paying();
  Object.assign(order, { stage, qr: null });
  counter.emit({ kind: "order", order });
  scan(WECHAT);
  await said(words);
  expect(order.by_code).toBe(false);
});

test("the same code twice is refused", async () => {
  const { counter, order, screen } = await paying();
  scan(WECHAT);
  await screen.findByText("正在扣款，请稍候");
  Object.assign(order, {
    stage: "failed",
    failure: { code: "ZF1", message_key: "decline.not_completed" },
  });
  counter.emit({ kind: "order", order });
  await screen.findByText("也可以请顾客换一种方式，出示新的付款码，直接扫即可。");
  scan(WECHAT);
  await said(/这个付款码刚才已经用过/);
  expect(order.stage).toBe("failed");
});

const whose = () => screen.findByRole("alertdialog", { name: "这是哪家的付款码？" });

test("a code of no known kind is charged by the method that the customer names", async () => {
  const { counter, order, user, screen } = await paying();
  scan(ODD);
  const dialog = within(await whose());
  expect(counter.times("charge_code")).toBe(0);
  expect(dialog.queryByRole("button", { name: /现金|银行卡/ })).toBeNull();
  await user.click(dialog.getByRole("button", { name: /支付宝/ }));
  expect(await screen.findByText("正在扣款，请稍候")).toBeTruthy();
  expect(counter.calls.filter(({ name }) => name === "charge_code")).toEqual([
    { name: "charge_code", payload: { order_id: order.id, channel: "alipay", code: ODD } },
  ]);
});

test("on the form too, by its key, and the double of the scan answers nothing", async () => {
  const { counter, user, desk } = await serving();
  await user.click(screen.getByRole("radio", { name: /¥300/ }));
  scan(ODD);
  await whose();
  scan(ODD);
  await said(/请先回答屏幕上的问题/);
  expect(counter.times("start_code")).toBe(0);
  await user.keyboard("w");
  expect(await screen.findByText("正在扣款，请稍候")).toBeTruthy();
  expect(counter.calls.find(({ name }) => name === "start_code")?.payload).toMatchObject({
    ...{ channel: "wechat", code: ODD },
  });
  expect(desk.scans.whose).toBeNull();
});

test("Enter charges nothing, and the code is forgotten", async () => {
  const { counter, user, desk } = await paying();
  scan(ODD);
  await whose();
  await user.keyboard("{Enter}");
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(desk.scans.whose).toBeNull();
  expect(counter.times("charge_code")).toBe(0);
});

test("an order that ended while it was asked is not charged", async () => {
  const { counter, user, desk } = await paying();
  scan(ODD);
  await whose();
  desk.orders.leave();
  await user.keyboard("w");
  await said(/没有等待付款的订单/);
  expect(counter.times("charge_code") + counter.times("start_code")).toBe(0);
});

test("whoever signs in next is asked about nobody's code", async () => {
  const { desk, counter } = await paying();
  scan(ODD);
  await whose();
  const { session } = counter.books;
  session.signed_in = session.staff[1] ?? null;
  await desk.refreshSession();
  expect(desk.scans.whose).toBeNull();
});

test.each([
  ["unknown", /查询中，请勿重复收款/],
  ["charging", /正在用刚才的付款码扣款/],
  ["user_paying", /顾客正在手机上付款/],
  ["preparing", /正在开单/],
  ["ended", /没有等待付款的订单/],
] as const)("nobody is asked about an unknown kind during %s", async (stage, words) => {
  const { counter, order, desk } = await paying();
  Object.assign(order, { stage, qr: null });
  counter.emit({ kind: "order", order });
  scan(ODD);
  await said(words);
  expect(desk.scans.whose).toBeNull();
});

test("with no payment waiting a code is looked for nowhere", async () => {
  const { counter, screen } = await openWindow("counter");
  await screen.findByRole("combobox");
  scan(WECHAT);
  await said(/没有等待付款的订单/);
  expect(values()).not.toContain(WECHAT.slice(0, 6));
  expect(counter.times("start_code") + counter.times("charge_code")).toBe(0);
});

test("a member's card finds its member from anywhere", async () => {
  const { screen } = await openWindow("counter");
  await screen.findByRole("combobox");
  scan(CARD);
  expect(await screen.findByRole("radio", { name: /¥300/ })).toBeTruthy();
});

test("a card that is scanned over what a hand looked for finds its member alone", async () => {
  const { user, screen, desk } = await openWindow("counter");
  const search = (await screen.findByRole("combobox")) as HTMLInputElement;
  await user.type(search, "zw");
  await screen.findByRole("option", { name: /张伟/ });
  scan(CARD, 10);
  await waitFor(() => expect(desk.topUp.member?.member_no).toBe(CARD));
  expect([search.value, desk.registering]).toEqual(["", null]);
});

test("a field that holds something gets its value back from a quick scan", async () => {
  const { user, screen, counter, desk } = await openWindow("counter");
  await screen.findByRole("combobox");
  await user.keyboard("{F7}");
  const find = (await screen.findByRole("textbox", { name: /会员/ })) as HTMLInputElement;
  await user.type(find, "zw");
  scan(CARD, 35);
  expect(find.value).toBe("zw");
  await waitFor(() => expect(desk.topUp.member?.member_no).toBe(CARD));
  expect(counter.times("find_orders")).toBeGreaterThan(0);
});

test("the quick end of what a hand began is no scan", async () => {
  const { user, screen, desk } = await openWindow("counter");
  const search = (await screen.findByRole("combobox")) as HTMLInputElement;
  await user.type(search, "0020");
  keys("1-8812", 60, ["Enter"]);
  await waitFor(() => expect(desk.topUp.member?.member_no).toBe(CARD));
  expect(desk.scans.sought).toBeNull();
});

test("a number that is only the beginning of a card serves nobody", async () => {
  const { user, screen, desk, counter } = await openWindow("counter");
  const search = (await screen.findByRole("combobox")) as HTMLInputElement;
  scan(CARD.slice(0, -1));
  await screen.findByText(`没有人用“${CARD.slice(0, -1)}”这张卡。`);
  expect(desk.topUp.member).toBeNull();
  expect(counter.times("top_up_form")).toBe(0);
  // What a hand types is looked for as ever.
  await user.clear(search);
  await user.type(search, CARD.slice(0, -1));
  expect(await screen.findByRole("option", { name: /张伟/ })).toBeTruthy();
  expect(screen.queryByText(/没有人用/)).toBeNull();
});

test("in the middle of something a number that is only the beginning serves nobody either", async () => {
  const { desk } = await serving();
  const { member } = desk.topUp;
  scan("00201-881");
  await said(/没有找到“00201-881”/);
  expect(desk.topUp.member).toBe(member);
});

test("two members with one number are shown, and neither is served", async () => {
  const { counter, screen, desk } = await openWindow("counter");
  await screen.findByRole("combobox");
  for (const member of counter.books.members.slice(0, 2)) member.member_no = CARD;
  scan(CARD);
  await waitFor(() => expect(screen.getAllByRole("option")).toHaveLength(2));
  expect(desk.topUp.member).toBeNull();
});

test("a card that nobody has begins a registration when asked, and is no phone", async () => {
  const { user, screen, desk } = await openWindow("counter");
  await screen.findByRole("combobox");
  scan("20240001234");
  await screen.findByText("没有人用“20240001234”这张卡。");
  expect(desk.registering).toBeNull();
  await user.keyboard("{Enter}");
  await screen.findByRole("dialog", { name: "新建会员" });
  const value = (name: RegExp) => screen.getByRole<HTMLInputElement>("textbox", { name }).value;
  expect([value(/会员卡号/), value(/手机号/), value(/姓名/)]).toEqual(["20240001234", "", ""]);
});

test("a second card may be scanned after one that nobody has, slowly too", async () => {
  const { screen, desk } = await openWindow("counter");
  const search = (await screen.findByRole("combobox")) as HTMLInputElement;
  scan("VIP-0088");
  await screen.findByText("没有人用“VIP-0088”这张卡。");
  await waitFor(() => expect(document.activeElement).toBe(search));
  search.select();
  scan(CARD, 60);
  await waitFor(() => expect(desk.topUp.member?.member_no).toBe(CARD));
});

test("an unknown barcode during a payment changes nothing", async () => {
  const { screen, desk } = await paying();
  scan("6901234567892");
  await said(/没有找到“6901234567892”/);
  expect(desk.orders.current?.stage).toBe("waiting");
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("a question on the screen is answered first", async () => {
  const { screen, counter, order } = await paying();
  Object.assign(order, { stage: "user_paying" });
  counter.emit({ kind: "order", order });
  await screen.findByText("请顾客在手机上输入密码确认付款");
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
  await screen.findByRole("alertdialog");
  scan(WECHAT);
  await said(/请先回答屏幕上的问题/);
  expect(counter.times("charge_code")).toBe(0);
});

test("a burst that no Enter ends is typed after all", async () => {
  const { screen } = await openWindow("counter");
  const search = (await screen.findByRole("combobox")) as HTMLInputElement;
  search.focus();
  keys("138****5678");
  expect(search.value).toBe("");
  await waitFor(() => expect(search.value).toBe("138****5678"));
  expect(await screen.findByRole("option", { name: /张伟/ })).toBeTruthy();
});

test("a hand that goes on elsewhere gets its characters at once", async () => {
  const { screen } = await openWindow("counter");
  const search = (await screen.findByRole("combobox")) as HTMLInputElement;
  search.focus();
  keys("138****5678");
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  expect(search.value).toBe("138****5678");
});

test("an unknown charge is given up only after a second thought", async () => {
  const { screen, counter, order, user } = await paying();
  scan(WECHAT);
  await screen.findByText("正在扣款，请稍候");
  Object.assign(order, { stage: "unknown" });
  counter.emit({ kind: "order", order });
  await screen.findByText(/未付则自动撤销这次扣款/);
  await user.keyboard("{Escape}");
  await screen.findByRole("alertdialog");
  expect(counter.times("cancel_order")).toBe(0);
  await user.keyboard("y");
  await waitFor(() => expect(counter.times("cancel_order")).toBe(1));
});

test("the threshold holds for slow scanners", () => {
  expect(RHYTHM.gapMaxMs).toBeGreaterThanOrEqual(60);
  expect(RHYTHM.gapMaxMs).toBeLessThanOrEqual(100);
});
