import { expect, test } from "vitest";

import { serving } from "./window";

/** 张伟 has ¥530. */
async function priced(price: string) {
  const window = await serving();
  const field = await window.screen.findByRole("textbox", { name: "本次服务价格" });
  await window.user.keyboard("p");
  expect(document.activeElement).toBe(field);
  await window.user.keyboard(`${price}{Enter}`);
  return { ...window, field };
}

test("a price that the balance lacks is one key away from the smallest top-up", async () => {
  const { user, screen, desk } = await priced("660");
  expect(await screen.findByText("本次需 ¥660，还差 ¥130")).toBeTruthy();
  await user.keyboard("l");
  expect(desk.topUp.choice).toEqual({ kind: "amount", fen: 30_000 });
  expect(await screen.findByRole("button", { name: /收款 ¥300/ })).toBeTruthy();
});

test("or from what is lacking, where nothing on sale is enough", async () => {
  const { user, screen, desk } = await priced("9999");
  await user.click(await screen.findByRole("button", { name: /充 ¥9,469/ }));
  expect(desk.topUp.choice).toEqual({ kind: "typed", text: "9469" });
});

test("enough says what is left, and suggests nothing", async () => {
  const { user, screen, desk } = await priced("480");
  expect(await screen.findByText("余额够付，付后剩 ¥50")).toBeTruthy();
  await user.keyboard("l");
  expect(desk.topUp.choice).toBeNull();
});

test("what is no price is said beside it", async () => {
  const { screen, field, counter } = await priced("abc");
  await screen.findByText(/./, { selector: ".error" });
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(counter.times("quote")).toBe(0);
});

test("Escape gives up the price and not the member", async () => {
  const { user, screen, field, desk } = await priced("660");
  await screen.findByText(/还差 ¥130/);
  await user.click(field);
  await user.keyboard("{Escape}");
  expect(screen.queryByText(/还差/)).toBeNull();
  expect(document.activeElement).not.toBe(field);
  expect(desk.topUp.member?.name).toBe("张伟");
});

test("an answer goes with the price and with the member", async () => {
  const { user, screen, field } = await priced("660");
  await screen.findByText(/还差 ¥130/);
  await user.click(field);
  await user.keyboard("1");
  expect(screen.queryByText(/还差/)).toBeNull();
});
