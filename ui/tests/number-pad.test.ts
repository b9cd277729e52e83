import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { cornerBeside, type Corner } from "../src/features/number-pad/figures";
import { openWindow, serving } from "./window";

const SCREEN = { width: 1366, height: 768 };
const PAD = { width: 330, height: 260 };
const box = (left: number, top: number, width = 200, height = 48) => ({
  ...{ left, top },
  ...{ right: left + width, bottom: top + height },
});

const PLACES: [string, ReturnType<typeof box>, Corner][] = [
  ["the amount on the form", box(1000, 300), "left bottom"],
  ["a field in the middle of a dialog", box(450, 400), "left bottom"],
  ["a field on the left, high up", box(120, 100), "left bottom"],
  ["a field on the left, far down", box(120, 650), "right bottom"],
  ["a field as wide as the window, far down", box(120, 650, 1200), "left top"],
  ["a field as high as the window", box(0, 0, 1366, 768), "right bottom"],
];

test.each(PLACES)("the pad leaves %s in sight", (_, field, corner) => {
  expect(cornerBeside(field, PAD, SCREEN)).toBe(corner);
});

/** A window whose pad follows every field for figures, as by the setting. */
async function padded(scene: Parameters<typeof serving>[0] = "counter") {
  const window = await serving(scene);
  const { settings } = window.counter.books.session;
  window.counter.books.session.settings = { ...settings, number_pad: "always" };
  await window.desk.refreshSession();
  return window;
}

const pad = async (screen: Awaited<ReturnType<typeof serving>>["screen"]) =>
  within(await screen.findByRole("region", { name: "数字键盘" }));

test("an amount is entered by finger, and typing goes on", async () => {
  const { user, screen, desk } = await padded();
  const field = screen.getByRole<HTMLInputElement>("textbox", { name: "自定义金额" });
  await user.click(field);
  const keys = await pad(screen);
  for (const key of ["1", "2", "00", ".", "5", "0"])
    await user.click(keys.getByRole("button", { name: key }));
  expect(field.value).toBe("1200.50");
  expect(document.activeElement).toBe(field);
  await user.click(keys.getByRole("button", { name: "退格" }));
  await user.keyboard("5");
  expect(field.value).toBe("1200.55");
  expect(await screen.findByRole("button", { name: /收款 ¥1,200\.55/ })).toBeTruthy();
  await user.click(keys.getByRole("button", { name: "完成" }));
  await waitFor(() => expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull());
  expect(desk.topUp.busy).toBe(false);
});

test("the cash received is entered by finger, and done charges nothing", async () => {
  const { user, screen, counter } = await padded();
  await user.keyboard("1c");
  const keys = await pad(screen);
  await user.click(keys.getByRole("button", { name: "5" }));
  await user.click(keys.getByRole("button", { name: "00" }));
  expect(screen.getByRole("textbox", { name: "实收现金" })).toHaveProperty("value", "500");
  await user.click(keys.getByRole("button", { name: "完成" }));
  expect(counter.times("pay_cash")).toBe(0);
  await user.click(screen.getByRole("button", { name: /收现金 ¥300/ }));
  await screen.findByRole("heading", { name: "现金已收，余额已更新" });
  expect(counter.books.orders[0]?.change_fen).toBe(20_000);
});

test("a manager's number and PIN are entered inside their dialog, whole figures only", async () => {
  const { user, screen } = await padded("offline");
  await user.keyboard("01500{Enter}");
  const dialog = await screen.findByRole("dialog", { name: "需要店长授权" });
  const keys = within(await within(dialog).findByRole("region", { name: "数字键盘" }));
  expect(keys.queryByRole("button", { name: "." })).toBeNull();
  for (const key of "2001") await user.click(keys.getByRole("button", { name: key }));
  expect(screen.getByRole("textbox", { name: "店长工号" })).toHaveProperty("value", "2001");
  await user.click(screen.getByLabelText("店长 PIN"));
  const again = await pad(screen);
  for (const key of "2001") await user.click(again.getByRole("button", { name: key }));
  await user.click(within(dialog).getByRole("button", { name: /授权/ }));
  expect(await screen.findByText(/店长授权：王敏/)).toBeTruthy();
});

test("what is selected is replaced, and no field takes more than it holds", async () => {
  const { user, screen } = await padded();
  const field = screen.getByRole<HTMLInputElement>("textbox", { name: "自定义金额" });
  await user.type(field, "888");
  field.setSelectionRange(0, 3);
  const keys = await pad(screen);
  await user.click(keys.getByRole("button", { name: "7" }));
  expect(field.value).toBe("7");
  for (let turn = 0; turn < 14; turn++) await user.click(keys.getByRole("button", { name: "00" }));
  expect(field.value.length).toBeLessThanOrEqual(field.maxLength);
  field.setSelectionRange(0, 0);
  const before = field.value;
  await user.click(keys.getByRole("button", { name: "退格" }));
  expect(field.value).toBe(before);
});

const touch = (target: Element, pointerType: string) => {
  const event = new Event("pointerdown", { bubbles: true });
  target.dispatchEvent(Object.assign(event, { pointerType }));
};

test("without a setting it comes with a finger and goes with the mouse", async () => {
  const { screen } = await serving();
  const field = screen.getByRole("textbox", { name: "自定义金额" });
  touch(field, "mouse");
  field.focus();
  expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull();
  touch(field, "touch");
  expect(await screen.findByRole("region", { name: "数字键盘" })).toBeTruthy();
  touch(field, "mouse");
  await waitFor(() => expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull());
});

test("a member is found by finger alone, from the digits of a phone", async () => {
  const { user, screen, desk } = await openWindow("counter");
  const search = await screen.findByRole<HTMLInputElement>("combobox");
  await waitFor(() => expect(document.activeElement).toBe(search));
  expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull();
  touch(search, "touch");
  const keys = await pad(screen);
  expect(keys.queryByRole("button", { name: "." })).toBeNull();
  for (const key of "5678") await user.click(keys.getByRole("button", { name: key }));
  expect(search.value).toBe("5678");
  const hit = await screen.findByRole("option", { name: /张伟/ });
  await user.click(keys.getByRole("button", { name: "完成" }));
  await waitFor(() => expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull());
  expect(hit.isConnected).toBe(true);
  await user.click(hit);
  await waitFor(() => expect(desk.topUp.member?.name).toBe("张伟"));
});

test("in the search box the mouse and the keyboard of a screen bring no figures", async () => {
  const { counter, desk, screen } = await openWindow("counter");
  const { settings } = counter.books.session;
  counter.books.session.settings = { ...settings, number_pad: "always" };
  await desk.refreshSession();
  const search = await screen.findByRole("combobox");
  touch(search, "mouse");
  search.focus();
  expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull();
  touch(search, "touch");
  expect(await screen.findByRole("region", { name: "数字键盘" })).toBeTruthy();
  // A finger elsewhere, and the box that takes the keyboard by itself later.
  search.blur();
  await waitFor(() => expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull());
  search.focus();
  expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull();
});

test("switched off it never comes", async () => {
  const { counter, desk, screen } = await openWindow("counter");
  const search = await screen.findByRole("combobox");
  const { settings } = counter.books.session;
  counter.books.session.settings = { ...settings, number_pad: "never" };
  await desk.refreshSession();
  touch(search, "touch");
  search.focus();
  expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull();
  await desk.serve("12");
  const field = await screen.findByRole("textbox", { name: "自定义金额" });
  touch(field, "touch");
  field.focus();
  expect(screen.queryByRole("region", { name: "数字键盘" })).toBeNull();
});

test("the notes of a float are counted by finger, one after the other", async () => {
  const { user, screen, counter, desk } = await openWindow("open_shift");
  const { settings } = counter.books.session;
  counter.books.session.settings = { ...settings, number_pad: "always" };
  await desk.refreshSession();
  const hundreds = await screen.findByRole("textbox", { name: /¥?100/ });
  await waitFor(() => expect(document.activeElement).toBe(hundreds));
  const keys = await pad(screen);
  await user.click(keys.getByRole("button", { name: "5" }));
  await user.click(keys.getByRole("button", { name: "下一个" }));
  expect(hundreds).toHaveProperty("value", "5");
  const next = document.activeElement;
  expect(next).not.toBe(hundreds);
  await user.click((await pad(screen)).getByRole("button", { name: "2" }));
  expect(next).toHaveProperty("value", "2");
});
