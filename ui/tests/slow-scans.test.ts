import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import type { DemoCounter } from "../src/platform/bridge";
import { keys, scan, type Pace } from "./scanner";
import { openWindow, serving } from "./window";

const WECHAT = "134567890123456789";
const AMOUNT = "QMON:300";

/** Keys of a scanner that come slowly, or are handed on late by a busy machine. */
const SLOW: [string, Pace][] = [
  ["120 ms for a key", 120],
  ["240 ms for a key", 240],
  ["a stall after each fifth key", (place) => (place % 5 === 4 ? 900 : 20)],
  ["a stall after the second key", (place) => (place === 2 ? 1_200 : 15)],
  ["a stall before Enter", (place) => (place === WECHAT.length ? 1_400 : 60)],
  ["by fits and starts", (place) => [10, 230, 90, 180, 40][place % 5] ?? 0],
];

const log = () => document.querySelector("[role=log]")?.textContent;
const said = (text: RegExp) => waitFor(() => expect(log()).toMatch(text));
const charged = (counter: DemoCounter) =>
  counter.calls.filter(({ name }) => name.startsWith("start_") || name.startsWith("pay_"));

test.each(SLOW)("%s: a payment code pays what was chosen", async (_, pace) => {
  const { counter, desk, user } = await serving();
  await user.keyboard("1");
  const { choice } = desk.topUp;
  scan(WECHAT, pace);
  await waitFor(() => expect(desk.orders.current?.pay_fen).toBe(30_000));
  expect(desk.topUp.choice).toEqual(choice);
  expect(charged(counter)).toMatchObject([{ name: "start_code", payload: { code: WECHAT } }]);
});

test.each(SLOW)("%s: with no amount chosen its digits choose none", async (_, pace) => {
  const { counter, desk } = await serving();
  scan(WECHAT, pace);
  await said(/请先选金额/);
  expect(desk.topUp.choice).toBeNull();
  expect(charged(counter)).toEqual([]);
});

test("an amount that is scanned slowly is that amount, and not the one of its digits", async () => {
  const { desk, screen } = await serving();
  scan(AMOUNT, 200);
  await screen.findByText(/扫码选了 ¥300/);
  expect(desk.topUp.choice).toEqual({ kind: "amount", fen: 30_000 });
});

test("a scan that breaks off presses nothing, nor does its Enter", async () => {
  const { counter, desk, user } = await serving();
  await user.keyboard("1w");
  keys("24242", 150, ["Enter"]);
  await said(/没有扫完整/);
  expect(desk.topUp.choice).toEqual(desk.topUp.form?.offers[0]?.choice);
  expect(charged(counter)).toEqual([]);
});

test("letters of a slow scan neither lead nor stop leading", async () => {
  const { desk } = await serving();
  const { guided } = desk;
  scan("G-1234567", 150);
  await said(/没有找到/);
  expect(desk.guided).toBe(guided);
});

test("a question is not answered by a letter of a scan", async () => {
  const { screen, counter, user } = await serving();
  await user.keyboard("1w");
  await screen.findByRole("button", { name: /收款 ¥300/ });
  counter.refuse("start_qr", { code: "duplicate_suspected" });
  await user.keyboard("{Enter}");
  await screen.findByRole("alertdialog");
  scan("Y-CARD-7", 60);
  await new Promise((then) => setTimeout(then, 150));
  expect(screen.getByRole("alertdialog")).toBeTruthy();
  expect(counter.times("start_qr")).toBe(1);
  await user.keyboard("y");
  await waitFor(() => expect(counter.times("start_qr")).toBe(2));
});

test("keys that are handed on after their time has run out still belong to their scan", async () => {
  const { screen, desk } = await openWindow("counter");
  const search = (await screen.findByRole("combobox")) as HTMLInputElement;
  search.focus();
  const started = performance.now() + 1_600;
  keys("00201-8", 20, [], started);
  await waitFor(() => expect(search.value).toBe("00201-8"));
  keys("812", 20, ["Enter"], started + 7 * 20);
  await waitFor(() => expect(desk.topUp.member?.member_no).toBe("00201-8812"));
  expect(search.value).toBe("");
});

test("keys of a hand work at once, and as quick as hands are", async () => {
  const { counter, desk, screen } = await serving();
  keys("3");
  expect(desk.topUp.choice).toEqual(desk.topUp.form?.offers[2]?.choice);
  keys("1w", 90, ["Enter"]);
  await screen.findByRole("img", { name: /收款码/ });
  expect(desk.orders.current?.pay_fen).toBe(30_000);
  expect(counter.times("start_qr")).toBe(1);
});

test("an amount of one's own may be typed as quickly as a hand can", async () => {
  const { desk } = await serving();
  keys("012345", 100);
  await waitFor(() => expect(desk.topUp.typed).toBe("12345"));
});
