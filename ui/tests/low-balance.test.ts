import { expect, test } from "vitest";

import { openWindow, serving } from "./window";

/** 曾可 has ¥120.50 and topped up nothing yet; 张伟 has ¥530 and last ¥300. */
async function withThreshold(fen: number, member: string) {
  const window = await openWindow("counter");
  const { settings } = window.counter.books.session;
  window.counter.books.session.settings = { ...settings, low_balance_fen: fen };
  await window.desk.refreshSession();
  await window.user.type(await window.screen.findByRole("combobox"), `${member}{Enter}`);
  await window.screen.findByRole("radio", { name: /^¥300/ });
  return window;
}

test("a low balance is one click away from the last top-up again", async () => {
  const { user, screen, desk } = await withThreshold(100_000, "张伟");
  expect(screen.getByText("余额不足 ¥1,000")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: /充 ¥300/ }));
  expect(await screen.findByRole("button", { name: /收款 ¥300/ })).toBeTruthy();
  expect(desk.topUp.choice).toEqual({ kind: "amount", fen: 30_000 });
});

test("one key away from the smallest where there was none yet", async () => {
  const { user, screen, counter } = await withThreshold(20_000, "曾可");
  await user.keyboard("l");
  expect(await screen.findByRole("button", { name: /收款 ¥300/ })).toBeTruthy();
  await user.keyboard("{Enter}");
  await screen.findByRole("img", { name: /收款码/ });
  expect(counter.books.orders[0]).toMatchObject({ member: "曾可", pay_fen: 30_000 });
  expect(screen.queryByText(/余额不足/)).toBeNull();
});

test.each([
  ["enough", 10_000],
  ["never", 0],
])("%s: nothing is suggested, and the key does nothing", async (_, fen) => {
  const { user, screen, desk } = await withThreshold(fen, "曾可");
  expect(screen.queryByText(/余额不足/)).toBeNull();
  await user.keyboard("l");
  expect(desk.topUp.choice).toBeNull();
});

test("the key is nobody's while a payment is on the screen", async () => {
  const { user, screen, counter, desk } = await serving();
  const { settings } = counter.books.session;
  counter.books.session.settings = { ...settings, low_balance_fen: 100_000 };
  await desk.refreshSession();
  await desk.topUp.refreshOffers();
  await user.keyboard("1w{Enter}");
  await screen.findByRole("img", { name: /收款码/ });
  await user.keyboard("l");
  expect(desk.orders.current?.pay_fen).toBe(30_000);
  expect(counter.times("start_qr")).toBe(1);
});
