import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { scan } from "./scanner";
import { serving } from "./window";

const order = (screen: Awaited<ReturnType<typeof serving>>["screen"]) =>
  screen
    .getAllByRole<HTMLInputElement>("radio", {
      name: /微信|支付宝|云闪付|数字人民币|现金|刷卡|转账/,
    })
    .map((radio) => `${radio.labels?.[0]?.querySelector(".name")?.textContent}`);

const USUAL = ["微信", "支付宝", "云闪付", "数字人民币", "现金", "刷卡", "对公转账"];

test("a method whose gateway fails stands last, is said, and is not chosen for anybody", async () => {
  const { screen, counter, desk } = await serving("channel_down");
  const failing = ["微信", "云闪付"];
  expect(order(screen)).toEqual([...USUAL.filter((name) => !failing.includes(name)), ...failing]);
  expect(screen.getByRole<HTMLInputElement>("radio", { name: /支付宝/ }).checked).toBe(true);
  const down = screen.getByRole<HTMLInputElement>("radio", { name: /微信/ });
  expect([down.disabled, down.checked]).toEqual([true, false]);
  await screen.findByText(/^微信和云闪付自 \d\d:\d\d 起暂时不可用.*请改用支付宝或数字人民币。$/);

  counter.books.down.clear();
  counter.emit({ kind: "channels" });
  await expect.poll(() => order(screen)).toEqual(USUAL);
  expect(down.isConnected && !screen.queryByText(/暂时不可用/)).toBe(true);
  expect(desk.topUp.wish).toBe("alipay");
});

test("a method that begins to fail is never replaced by another behind the cashier's back", async () => {
  const { screen, counter, desk, user } = await serving();
  await user.keyboard("1w");
  expect(desk.topUp.channel).toBe("wechat");
  counter.books.down.set("wechat", Date.now());
  counter.emit({ kind: "channels" });
  await screen.findByText(/^微信自 .* 起暂时不可用/);
  expect([desk.topUp.wish, desk.topUp.channel]).toEqual(["wechat", null]);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: /^收款/ }).disabled).toBe(true);
  counter.books.down.clear();
  counter.emit({ kind: "channels" });
  await expect.poll(() => desk.topUp.channel).toBe("wechat");
});

test("the code of a wallet whose gateway fails is not charged, and that is why", async () => {
  const { counter, user } = await serving("channel_down");
  await user.keyboard("1");
  scan("134567890123456789");
  await waitFor(() =>
    expect(document.querySelector("[role=log]")?.textContent).toMatch(/微信暂时不可用/),
  );
  expect(counter.times("start_code")).toBe(0);
});
