import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import type { SceneName } from "../src/platform/demo/scenes";
import { keys, scan } from "./scanner";
import { openWindow } from "./window";

const PAYMENT = "134567890123456789";
const SCANS: [string, string][] = [
  ["a payment code", PAYMENT],
  ["a payment code of unknown kind", "9876543210987654"],
  ["a member's card", "00201-8812"],
  ["a printed amount", "QMON:300"],
  ["a barcode", "6901234567892"],
];

const SET_UP = /本机还不能收银/;
const SIGN_IN = /还没有人登录/;
const SHIFT = /还没有开班/;
/** Every screen before the counter, what is said there, and what is on it. */
const SCREENS: [SceneName, RegExp, RegExp][] = [
  ["opening", SET_UP, /正在打开/],
  ["keep_code", SET_UP, /最后一组/],
  ["key_lost", SET_UP, /本机的钥匙不见了/],
  ["disk_full", SET_UP, /硬盘满了/],
  ["first_start", SET_UP, /登记码|加入/],
  ["first_start_shop", SET_UP, /./],
  ["first_start_code", SET_UP, /./],
  ["first_start_people", SET_UP, /./],
  ["first_start_receipt", SET_UP, /./],
  ["first_start_printer", SET_UP, /./],
  ["first_start_methods", SET_UP, /./],
  ["sign_in", SIGN_IN, /谁来收银/],
  ["open_shift", SHIFT, /¥0\.00/],
];

const values = () =>
  [...document.querySelectorAll<HTMLInputElement>("input, textarea")]
    .map((field) => field.value)
    .join("|");
const seen = () => document.querySelector(".room")?.textContent;
const notices = () => document.querySelector("[role=log]")?.textContent;

/** A window that has come to rest, so that whatever changes is the scan's doing. */
async function atRest(scene: SceneName, shows: RegExp) {
  const window = await openWindow(scene);
  await waitFor(() => expect(seen()).toMatch(shows));
  // Scans are listened to from a moment after the first frame.
  await new Promise((soon) => setTimeout(soon, 80));
  return window;
}

test.each(SCREENS)("%s uses no scan, and says so", async (scene, said, shows) => {
  const { counter, desk } = await atRest(scene, shows);
  const field = document.querySelector<HTMLInputElement>("input:not([data-scans])");
  if (scene.startsWith("first_start") || scene === "keep_code") field?.focus();
  const [shown, stood, calls] = [seen(), values(), counter.calls.length];
  for (const [what, text] of SCANS) {
    desk.notices.list = [];
    scan(text);
    await waitFor(() => expect(notices(), what).toMatch(said));
    const isCode = what.startsWith("a payment");
    expect(notices(), what).toMatch(isCode ? /付款码没有扣款/ : /这次扫码没有用上/);
    expect([seen(), values()], what).toEqual([shown, stood]);
  }
  expect(counter.calls.length).toBe(calls);
});

test("five scans while somebody enters a PIN lock nobody out", async () => {
  const { user, screen, counter } = await atRest("sign_in", /谁来收银/);
  await user.keyboard("1");
  await user.keyboard("10");
  await screen.findByRole("img", { name: "已输入 2 位" });
  for (const [, text] of SCANS) scan(text);
  await waitFor(() => expect(notices()).toMatch(SIGN_IN));
  expect(counter.times("sign_in")).toBe(0);
  expect(screen.getByRole("img", { name: "已输入 2 位" })).toBeTruthy();
  await user.keyboard("01{Enter}");
  await screen.findByRole("textbox", { name: "¥100" });
  expect(counter.times("sign_in")).toBe(1);
});

test("a quick hand is no scanner: a long PIN without a pause is typed after all", async () => {
  const { screen } = await atRest("sign_in", /谁来收银/);
  keys("1100234");
  expect(await screen.findByRole("img", { name: "已输入 6 位" })).toBeTruthy();
});

test("a burst without Enter puts no more into a row of notes than fits there", async () => {
  const { screen } = await atRest("open_shift", /¥0\.00/);
  const row = screen.getByRole<HTMLInputElement>("textbox", { name: "¥100" });
  await waitFor(() => expect(document.activeElement).toBe(row));
  keys(PAYMENT);
  await waitFor(() => expect(row.value).toBe("13456"));
});

const JOINING: [string, SceneName][] = [
  ["at the first start", "first_start"],
  ["in trouble", "code_unreadable"],
];

test.each(JOINING)("the enrolment code %s is scanned, a payment code is not", async (_, scene) => {
  const { user, screen, counter } = await atRest(scene, /./);
  if (scene === "first_start")
    await user.click(await screen.findByRole("button", { name: /加入/ }));
  const field = await screen.findByRole<HTMLInputElement>("textbox", { name: "登记码" });
  await waitFor(() => expect(document.activeElement).toBe(field));
  scan(PAYMENT);
  await waitFor(() => expect(notices()).toMatch(/付款码没有扣款。本机还不能收银/));
  expect([field.value, counter.times("enrol")]).toEqual(["", 0]);
  scan("QTE1hHgZaHR0cHM6");
  await waitFor(() => expect(counter.times("enrol")).toBe(1));
  expect(counter.calls.find(({ name }) => name === "enrol")?.payload).toEqual({
    code: "QTE1hHgZaHR0cHM6",
  });
});

test("a key may be scanned into its lines, a payment code may not", async () => {
  const { desk, counter } = await atRest("counter", /./);
  expect(desk.isOpen).toBe(true);
  const area = document.body.appendChild(document.createElement("textarea"));
  area.value = "-----BEGIN";
  area.focus();
  const type = (text: string) => {
    area.setSelectionRange(area.value.length, area.value.length);
    scan(text);
  };
  type(PAYMENT);
  await waitFor(() => expect(notices()).toMatch(/没有等待付款的订单/));
  expect(area.value).toBe("-----BEGIN");
  type("MIIEvQIBADANBg");
  expect(area.value).toBe("-----BEGINMIIEvQIBADANBg");
  expect(counter.times("read_scan")).toBe(1);
});
