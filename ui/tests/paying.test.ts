import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import type { OrderView } from "../src/bindings/OrderView";
import { serving } from "./window";

async function paying() {
  const window = await serving();
  await window.user.keyboard("1w{Enter}");
  await window.screen.findByRole("img", { name: /收款码/ });
  const order = window.counter.books.orders[0]!;
  const move = (change: Partial<OrderView>) => {
    Object.assign(order, change);
    window.counter.emit({ kind: "order", order });
  };
  return { ...window, order, move };
}

const buttons = () => [...document.querySelectorAll("button")].map((it) => it.textContent ?? "");

test("unknown hides the code, says so, and offers no way to charge again", async () => {
  const { screen, move } = await paying();
  move({ stage: "unknown", qr: null });
  expect(await screen.findByText("正在核实，请勿重复收款")).toBeTruthy();
  expect(screen.queryByRole("img", { name: /收款码/ })).toBeNull();
  expect(buttons().some((text) => /^(收款|重新|改用)/.test(text.trim()))).toBe(false);
  expect(document.querySelector("[aria-live=assertive]")?.textContent).toContain("请勿重复收款");
});

test.each([
  ["offline", /网络连接中断，正在重连/],
  ["stopped", /同步已停止，请联系管理员/],
] as const)("%s, a code that is out counts as unknown", async (state, sentence) => {
  const { screen, counter } = await paying();
  const kept = { stopped_key: null, copy_key: null };
  counter.sync({ ...kept, state, pending: 1, oldest_ms: 1, last_contact_ms: 1 });
  expect(await screen.findByText(sentence)).toBeTruthy();
  expect(screen.getByText("正在核实，请勿重复收款")).toBeTruthy();
  expect(screen.queryByRole("img", { name: /收款码/ })).toBeNull();
});

test("an order left alone stays in sight and can be opened again", async () => {
  const { user, screen, move } = await paying();
  move({ stage: "unknown", qr: null });
  await screen.findByText("正在核实，请勿重复收款");
  await user.keyboard("{Escape}");
  await user.click(await screen.findByRole("button", { name: /张伟.*核实中/ }));
  expect(await screen.findByText("正在核实，请勿重复收款")).toBeTruthy();
});

test("money for an order left alone is told", async () => {
  const { user, screen, move } = await paying();
  await user.keyboard("{F4}");
  move({ stage: "credited", qr: null });
  await waitFor(() =>
    expect(screen.getByRole("log").textContent).toContain("张伟 的 ¥300.00 已到账"),
  );
});

test("a late answer never takes a credited order back", async () => {
  const { screen, counter, desk, order, move } = await paying();
  const open = counter.hold("query_payment");
  const asked = desk.orders.ask(() => desk.call("query_payment", { order_id: order.id }));
  const credit = {
    ...{ balance_before_fen: 53_000, balance_after_fen: 88_000 },
    ...{ principal_after_fen: 76_000, bonus_after_fen: 12_000, points: 300, coupons: [] },
    ...{ tier_before: "银卡", tier_after: "银卡", credited_at_ms: 1 },
  };
  move({ stage: "credited", qr: null, credit });
  Object.assign(order, { stage: "waiting" });
  open();
  await asked;
  expect(desk.orders.current?.stage).toBe("credited");
  expect(await screen.findByRole("heading", { name: "微信已到账" })).toBeTruthy();
});

test("cancelling while the customer types the password asks first", async () => {
  const { user, screen, counter, move } = await paying();
  move({ stage: "user_paying" });
  await user.keyboard("{Escape}");
  await screen.findByRole("alertdialog");
  expect(counter.times("cancel_order")).toBe(0);
  await user.keyboard("y");
  expect((await screen.findAllByText(/没有收款/)).length).toBeGreaterThan(0);
  expect(counter.times("cancel_order")).toBe(1);
});

const OFFERS: [string, RegExp, RegExp][] = [
  ["decline.card_balance_short", /微信重新出码/, /^$/],
  ["decline.risk_control", /改用支付宝/, /微信/],
  ["decline.merchant_limit", /改用支付宝/, /微信/],
  ["decline.closed", /微信重新出码/, /^$/],
];

test.each(OFFERS)("after %s the right way out comes first", async (key, first, absent) => {
  const { screen, move } = await paying();
  move({ stage: "failed", qr: null, failure: { code: "X", message_key: key } });
  await screen.findByText(/没有收到款，可以放心重新收款/);
  const offers = buttons().filter((text) => /重新出码|改用/.test(text));
  expect(offers[0]).toMatch(first);
  expect(offers.some((text) => absent.test(text))).toBe(false);
});

test("cash after a failure ends the unpaid order first", async () => {
  const { user, screen, counter, move } = await paying();
  move({ stage: "failed", qr: null, failure: { code: "X", message_key: "decline.risk_control" } });
  await screen.findByRole("button", { name: /改用现金/ });
  await user.keyboard("c");
  expect(await screen.findByRole("button", { name: /收现金 ¥300.00/ })).toBeTruthy();
  expect(counter.times("cancel_order")).toBe(1);
});

test("an order that asked nobody for money has no method", async () => {
  const { user, screen, move } = await paying();
  expect(screen.getByRole("heading", { name: "微信收款" })).toBeTruthy();
  move({ stage: "review", qr: null, channel: null });
  expect(await screen.findByRole("heading", { name: "收款" })).toBeTruthy();
  await user.keyboard("{F7}");
  const row = await screen.findByRole("row", { name: /张伟.*—.*需审核/ });
  expect(row.textContent).not.toContain("现金");
});

test("an order that would need a review can be cancelled and promises nothing", async () => {
  const { user, screen, counter, move } = await paying();
  move({ stage: "review", qr: null, channel: null });
  expect(await screen.findByText(/没有收款，钱没有变动。请取消这一单/)).toBeTruthy();
  expect(screen.queryByText(/审核通过|等待审核|联系店长/)).toBeNull();
  expect(screen.queryByRole("button", { name: /结果会提醒/ })).toBeNull();
  await user.click(screen.getByRole("button", { name: /取消收款/ }));
  await waitFor(() => expect(counter.times("cancel_order")).toBe(1));
});

const CODES: [OrderView["stage"], boolean, boolean][] = [
  ["waiting", true, true],
  ["user_paying", true, true],
  ["unknown", true, true],
  ["unknown", false, false],
  ["cancelling", false, false],
  ["paid", false, false],
];

test.each(CODES)("%s with a code that was out: %s, tells of a code: %s", async (...given) => {
  const [stage, wasOut, told] = given;
  const { screen, move } = await paying();
  move({ stage, qr: null, had_code: wasOut });
  await waitFor(() => expect(screen.queryByText("已出码") !== null).toBe(told));
  expect(screen.getByText("已开单")).toBeTruthy();
});

test("a code that was out stays told when the line breaks", async () => {
  const { screen, counter } = await paying();
  const kept = { stopped_key: null, copy_key: null };
  const gone = { ...kept, pending: 1, oldest_ms: 1, last_contact_ms: 1 };
  counter.sync({ ...gone, state: "offline" });
  await screen.findByText(/网络连接中断/);
  expect(screen.getByText("已出码")).toBeTruthy();
});

test("an order that was refused says why", async () => {
  const { screen, move } = await paying();
  const failure = { code: "1008", message_key: "error.limit_blocked" };
  move({ stage: "refused", qr: null, failure });
  expect(await screen.findByText("超出法规或本店限额，不能办理。没有收款。")).toBeTruthy();
  expect(screen.getByText("代码 1008")).toBeTruthy();
});

const HELD = { code: "HELD", message_key: "error.held_by_server" };
const HELD_WORDS =
  /服务器保留了这笔充值，等待人工核对。款项已记录，不会丢失。请告诉店长，不要再次收款/;

test("cash that the server holds takes the place of the success and says what to do", async () => {
  const { user, screen, counter } = await serving("offline");
  await user.keyboard("1c500{Enter}");
  await screen.findByRole("heading", { name: "现金已收，余额暂记" });
  const order = { ...counter.books.orders[0]!, credit: null, failure: HELD };
  counter.emit({ kind: "order", order: { ...order, stage: "abnormal" } });
  expect(await screen.findByText(HELD_WORDS)).toBeTruthy();
  expect(screen.queryByText(/收到的款需要核对/)).toBeNull();
  // The customer may still be waiting for the change.
  expect(screen.getByText("请找零 ¥200.00")).toBeTruthy();
});

test("the queue says why the server takes nothing more", async () => {
  const { user, screen, counter } = await serving("offline");
  const sync = { ...counter.books.session.sync, state: "stopped" } as const;
  counter.sync({ ...sync, stopped_key: "stop.server_behind" });
  await user.keyboard("{F8}");
  expect(await screen.findByText(/缺少本机已清理的旧记录.*钱没有变动.*更新的备份/)).toBeTruthy();
});

test("an operation that the server holds says so in the queue", async () => {
  const { user, screen, counter } = await serving("offline");
  Object.assign(counter.books.operations[0]!, { reason_key: HELD.message_key });
  await user.keyboard("{F8}");
  expect(await screen.findByText(HELD_WORDS)).toBeTruthy();
});

test("a declined attempt does not explain an abnormal order", async () => {
  const { screen, move } = await paying();
  const failure = { code: "X", message_key: "decline.closed" };
  move({ stage: "abnormal", qr: null, failure });
  expect(await screen.findByText("收到的款需要核对，已转人工处理")).toBeTruthy();
  expect(screen.queryByText(/可以重新收款|可以放心/)).toBeNull();
});

test("what differs and what was returned have words of their own", async () => {
  const { screen, move } = await paying();
  move({ stage: "abnormal", abnormal: "late", qr: null });
  expect(await screen.findByText("收到的款需要核对，已转人工处理")).toBeTruthy();
  move({ stage: "abnormal", abnormal: "mismatch", qr: null });
  expect(await screen.findByText("收款金额与订单不符，已转人工处理，请勿交付")).toBeTruthy();
  move({ stage: "abnormal", abnormal: "returned", qr: null });
  expect(await screen.findByText("这笔款已在支付平台退回，没有入账，请勿交付")).toBeTruthy();
});

test("after missed events everything shown is asked anew", async () => {
  const { screen, counter, order } = await paying();
  Object.assign(order, { stage: "unknown", qr: null });
  counter.emit({ kind: "boot" });
  expect(await screen.findByText("正在核实，请勿重复收款")).toBeTruthy();
});
