import { waitFor, within } from "@testing-library/dom";
import { afterEach, expect, test, vi } from "vitest";

import { pastOrder } from "../src/platform/demo/books";
import { openWindow } from "./window";

const YESTERDAY = 30 * 60;

afterEach(() => void vi.useRealTimers());

/** Sets the clock, in China's time; timers go on as they are. */
function clockSays(time: string) {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.parse(`${time}+08:00`));
}

/** The list over orders of 张伟 (cash, today), 单雨 (WeChat, today) and 曾可 (ended, before today). */
async function orders(todayLeftMs = 43_200_000) {
  const window = await openWindow("sign_in");
  const { books } = window.counter;
  books.todayLeftMs = todayLeftMs;
  books.session.signed_in = books.session.staff[0]!;
  books.session.shift = { shift_no: "JB1", cashier: "陈静", opened_at_ms: 1, float_fen: 0 };
  const cash = pastOrder(books, "12", 3, { channel: "cash", pay_fen: 50_000 });
  pastOrder(books, "13", 5, { channel: "wechat" });
  pastOrder(books, "14", YESTERDAY, { stage: "ended" });
  await window.desk.refreshSession();
  await window.screen.findByRole("combobox", { name: "查找会员" });
  await window.user.keyboard("{F7}");
  await window.screen.findByRole("table");
  const members = () =>
    [...document.querySelectorAll("td.who")].map((cell) => cell.textContent.trim());
  return { ...window, cash, members };
}

test("today's orders stand in the list with their sum", async () => {
  const { screen, members } = await orders();
  expect(members()).toEqual(["张伟", "单雨"]);
  expect(screen.getByText(/共 2 笔/).textContent).toMatch(/共 2 笔.*已入账 2 笔，实收 ¥800.00/s);
});

test("more days show more orders", async () => {
  const { user, screen, members } = await orders();
  await user.click(screen.getByRole("radio", { name: "近 7 天" }));
  await waitFor(() => expect(members()).toEqual(["张伟", "单雨", "曾可"]));
});

test("method, state, text and cashier narrow the list, and one button clears them", async () => {
  const { user, screen, members } = await orders();
  await user.selectOptions(screen.getByRole("combobox", { name: "方式" }), "现金");
  await waitFor(() => expect(members()).toEqual(["张伟"]));
  await user.click(screen.getByRole("radio", { name: "未收款" }));
  expect(await screen.findByText("没有符合条件的订单")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "清除筛选" }));
  await waitFor(() => expect(members()).toEqual(["张伟", "单雨"]));
  await user.type(screen.getByRole("textbox", { name: "单号或会员" }), "单雨");
  await waitFor(() => expect(members()).toEqual(["单雨"]));
  await user.selectOptions(screen.getByRole("combobox", { name: "收银" }), "欧阳娜");
  expect(await screen.findByText("没有符合条件的订单")).toBeTruthy();
});

test("a day that is none is said next to its field, and the list stays", async () => {
  const { user, screen, members } = await orders();
  await user.click(screen.getByRole("radio", { name: "自选" }));
  const from = screen.getByRole("textbox", { name: "从" });
  await user.type(from, "昨天");
  await waitFor(() => expect(from.getAttribute("aria-invalid")).toBe("true"));
  expect(screen.getByText("请填日期，例如 2026-11-22 或 11-22")).toBeTruthy();
  expect(members().length).toBeGreaterThan(0);
});

test("arrows and Enter open an order with rules, payment and books", async () => {
  const { user, screen, cash } = await orders();
  await user.keyboard("{ArrowDown}");
  const door = screen.getByRole("button", { name: `订单详情 ${cash.order_no}` });
  expect(document.activeElement).toBe(door);
  await user.keyboard("{Enter}");
  const page = await screen.findByRole("dialog", { name: "订单详情" });
  const part = async (name: string) =>
    (await within(page).findByRole("region", { name })).textContent;
  expect(await part("为什么是这个价")).toMatch(/秋季阶梯.*适用.*第 3 版规则/s);
  expect(await part("账上怎么记")).toMatch(/现金进钱箱.*¥500.00.*会员本金增加.*积分/s);
  await user.click(within(page).getByRole("button", { name: "小票" }));
  expect(await screen.findByRole("dialog", { name: "小票预览" })).toBeTruthy();
  expect(screen.queryByRole("dialog", { name: "订单详情" })).toBeNull();
});

test("an order without money says that nothing was posted", async () => {
  const { user, screen } = await orders();
  await user.click(screen.getByRole("radio", { name: "近 7 天" }));
  await waitFor(() => expect(screen.getAllByRole("button", { name: /^订单详情/ })).toHaveLength(3));
  await user.click(screen.getAllByRole("button", { name: /^订单详情/ })[2]!);
  expect(await screen.findByText("没有收到钱，账上没有变动。")).toBeTruthy();
});

test("after midnight every order says its date, whatever the business day is called", async () => {
  clockSays("2026-11-24T00:02:00");
  const { screen } = await orders();
  const times = () =>
    screen
      .getAllByRole("row")
      .slice(1)
      .map((row) => row.firstElementChild?.textContent.trim());
  expect(times()).toEqual(["11月23日 23:59", "11月23日 23:57"]);
});

test("a list left open over the end of the business day is asked for anew", async () => {
  clockSays("2026-11-24T03:58:00");
  const { screen, counter, members } = await orders(120_000);
  expect(members()).toEqual(["张伟", "单雨"]);
  counter.books.orders = [];
  counter.books.todayLeftMs = 86_400_000;
  clockSays("2026-11-24T04:00:01");
  expect(await screen.findByText("这几天没有订单")).toBeTruthy();
});

test("arrow keys belong to a filter that has the keyboard, and else to the rows", async () => {
  const { user, screen } = await orders();
  const pressed = async (control: HTMLElement, key: string) => {
    control.focus();
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    return [control.dispatchEvent(event), document.activeElement === control];
  };
  for (const name of ["方式", "收银"])
    expect(await pressed(screen.getByRole("combobox", { name }), "ArrowDown")).toEqual([
      true,
      true,
    ]);
  const today = screen.getByRole("radio", { name: "今天" });
  expect(await pressed(today, "ArrowUp")).toEqual([true, true]);
  today.blur();
  await user.keyboard("{ArrowDown}");
  expect(document.activeElement?.hasAttribute("data-door")).toBe(true);
});
