import { waitFor, within } from "@testing-library/dom";
import { afterEach, expect, test, vi } from "vitest";

import { scan } from "./scanner";
import { openWindow, serving } from "./window";

const WECHAT = "134567890123456789";
const THREE_HUNDRED = "QMON:300";
const FIVE_HUNDRED = "QMON:500";
/** Beyond the time in which a scanner may read the same code twice by itself. */
const LATER_MS = 2_100;

afterEach(() => vi.restoreAllMocks());

/** The clock of the page, moved by hand. */
function clock() {
  const real = performance.now.bind(performance);
  let ahead = 0;
  vi.spyOn(performance, "now").mockImplementation(() => real() + ahead);
  return { pass: (ms: number) => (ahead += ms) };
}

const said = (text: RegExp) =>
  waitFor(() => expect(document.querySelector("[role=log]")?.textContent).toMatch(text));

test("by scanner alone: card, amount, amount again, payment code", async () => {
  const time = clock();
  const { screen, counter } = await openWindow("counter");
  await screen.findByRole("combobox");
  scan("00201-8812");
  await screen.findByRole("radio", { name: /^¥300/ });
  scan(THREE_HUNDRED);
  await screen.findByText(/扫码选了 ¥300\.00，还没有收款/);
  time.pass(LATER_MS);
  scan(THREE_HUNDRED);
  await screen.findByText(/¥300\.00 已确认/);
  expect(counter.times("start_code")).toBe(0);
  scan(WECHAT);
  expect(await screen.findByText("正在扣款，请稍候")).toBeTruthy();
  expect(counter.books.orders[0]).toMatchObject({ pay_fen: 30_000, channel: "wechat" });
});

test("an amount that was scanned once is not charged", async () => {
  const { screen, counter, desk } = await serving();
  scan(THREE_HUNDRED);
  await screen.findByText(/还没有收款/);
  scan(WECHAT);
  await said(/付款码没有扣款。金额是扫码选的/);
  expect(counter.times("start_code")).toBe(0);
  expect(desk.topUp.choice).toEqual({ kind: "amount", fen: 30_000 });
});

test("a scanner that reads what stays before it never confirms by itself", async () => {
  const time = clock();
  const { screen, desk } = await serving();
  scan(THREE_HUNDRED);
  await screen.findByText(/还没有收款/);
  for (let turn = 0; turn < 6; turn++) {
    time.pass(1_000);
    scan(THREE_HUNDRED);
    await waitFor(() =>
      expect(desk.topUp.scanned?.readMs).toBeGreaterThan(performance.now() - 900),
    );
    expect(desk.topUp.unconfirmed).toBe(true);
  }
});

test("another amount in between begins anew", async () => {
  const time = clock();
  const { screen, desk } = await serving();
  scan(THREE_HUNDRED);
  await screen.findByText(/扫码选了 ¥300/);
  time.pass(LATER_MS);
  scan(FIVE_HUNDRED);
  await screen.findByText(/扫码选了 ¥500/);
  time.pass(LATER_MS);
  scan(THREE_HUNDRED);
  await screen.findByText(/扫码选了 ¥300/);
  expect(desk.topUp.unconfirmed).toBe(true);
});

test("a hand that chooses the amount confirms it, and needs no second scan", async () => {
  const { user, screen, counter } = await serving();
  scan(FIVE_HUNDRED);
  await screen.findByText(/扫码选了 ¥500/);
  await user.click(screen.getByRole("radio", { name: /^¥500/ }));
  await waitFor(() => expect(screen.queryByText(/扫码选了/)).toBeNull());
  scan(WECHAT);
  expect(await screen.findByText("正在扣款，请稍候")).toBeTruthy();
  expect(counter.books.orders[0]?.pay_fen).toBe(50_000);
});

test("a payment code alone, first or for the next member, meets no amount of before", async () => {
  const time = clock();
  const { screen, counter, desk } = await serving();
  scan(THREE_HUNDRED);
  await screen.findByText(/扫码选了 ¥300/);
  time.pass(LATER_MS);
  scan(THREE_HUNDRED);
  await screen.findByText(/已确认/);
  scan("00201-8814");
  await screen.findByRole("heading", { name: /为 曾可 充值/ });
  expect(desk.topUp.scanned).toBeNull();
  scan(WECHAT);
  await said(/请先选金额/);
  expect(counter.times("start_code")).toBe(0);
});

test("a package is chosen by its code as it is sold today", async () => {
  const { screen, desk } = await serving();
  scan("QBON:p1");
  await screen.findByText(/扫码选了 ¥680/);
  expect(desk.topUp.choice).toEqual({ kind: "package", id: "p1", version: 3 });
});

test.each([
  ["a package that is sold no more", "QBON:gone"],
  ["an amount that is not on the form", "QMON:99999"],
])("%s chooses nothing", async (_, code) => {
  const { desk } = await serving();
  scan(code);
  await said(/现在不能充/);
  expect(desk.topUp.choice).toBeNull();
});

test("without a member, during a payment and under a question an amount is refused in words", async () => {
  const { screen, desk, user, counter } = await openWindow("counter");
  await screen.findByRole("combobox");
  scan(THREE_HUNDRED);
  await said(/请先扫会员卡/);
  await desk.serve("12");
  await user.keyboard("1w");
  await screen.findByRole("button", { name: /收款 ¥300/ });
  counter.refuse("start_qr", { code: "duplicate_suspected" });
  await user.keyboard("{Enter}");
  await screen.findByRole("alertdialog");
  scan(FIVE_HUNDRED);
  await said(/请先回答屏幕上的问题/);
  await user.keyboard("y");
  await screen.findByRole("img", { name: /收款码/ });
  scan(FIVE_HUNDRED);
  await waitFor(() => expect(desk.notices.list.at(-1)?.say()).toMatch(/请先扫会员卡/));
  expect(desk.orders.current?.pay_fen).toBe(30_000);
  expect(desk.orders.current?.stage).toBe("waiting");
});

test("the sheet has a code for everything on sale, and prints", async () => {
  const { user, screen } = await openWindow("counter");
  await screen.findByRole("combobox");
  await user.keyboard("{F9}");
  await user.click(await screen.findByText("收银设置"));
  await user.click(await screen.findByRole("button", { name: "打印金额码" }));
  const dialog = await screen.findByRole("dialog", { name: "金额码" });
  await waitFor(() => expect(within(dialog).getAllByRole("img")).toHaveLength(7));
  expect(within(dialog).getByRole("img", { name: "护发季卡 ¥680 的金额码" })).toBeTruthy();
  const print = vi.fn();
  vi.stubGlobal("print", print);
  await user.click(within(dialog).getByRole("button", { name: "打印" }));
  expect(print).toHaveBeenCalledOnce();
  vi.unstubAllGlobals();
});
