import { within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { openWindow } from "./window";

async function looking(scene: "cases" | "case_alone" = "cases") {
  const window = await openWindow(scene);
  await window.screen.findByRole("button", { name: /^异常/ });
  await window.user.keyboard("{F11}");
  await window.screen.findByRole("heading", { name: "异常单" });
  return window;
}

const approve = async ({ user, screen }: Awaited<ReturnType<typeof looking>>, pin: string) => {
  const dialog = within(await screen.findByRole("dialog", { name: "授权入账" }));
  const number = dialog.getByRole("textbox", { name: "店长工号" });
  await user.clear(number);
  await user.type(number, "2001");
  await user.type(dialog.getByLabelText(/PIN/), `${pin}{Enter}`);
};

test("a manager sees what waits, why, and what to do, and lets the money be credited", async () => {
  const window = await looking();
  const { screen, user, counter } = window;
  const rail = within(screen.getByRole("navigation"));
  expect(rail.getByRole("button", { name: /异常/ }).textContent).toContain("2");
  const waiting = within(screen.getByRole("list", { name: "等待处理" }));
  expect(waiting.getAllByRole("listitem")).toHaveLength(2);
  expect(waiting.getByText("款已收到，入账受阻，已转人工")).toBeTruthy();
  expect(waiting.getByText(/再由店长授权入账/)).toBeTruthy();
  expect(waiting.getByText("尉*")).toBeTruthy();

  await user.click(screen.getByRole("button", { name: "现在入账：尉* ¥300.00" }));
  await approve(window, "0000");
  expect(await screen.findByText(/PIN 不对/)).toBeTruthy();
  await approve(window, "2001");
  await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
  expect(waiting.getAllByRole("listitem")).toHaveLength(1);
  expect(rail.getByRole("button", { name: /异常/ }).textContent).toContain("1");
  expect(counter.times("credit_case")).toBe(2);
  expect(document.querySelector("[role=log]")?.textContent).toContain("已入账");
});

test("the order of a case opens", async () => {
  const { screen, user } = await looking();
  const [first] = screen.getAllByRole("button", { name: /^查看订单 CZ/ });
  await user.click(first!);
  expect(await screen.findByRole("dialog", { name: "订单详情" })).toBeTruthy();
});

test("a case that comes is counted, and a cashier sees none", async () => {
  const { screen, counter, user } = await looking();
  counter.books.cases = { ...counter.books.cases, waiting: [] };
  counter.emit({ kind: "cases" });
  await screen.findByText("没有等待处理的款");
  counter.books.session.signed_in = counter.books.session.staff[0] ?? null;
  counter.emit({ kind: "session" });
  await expect.poll(() => screen.queryByRole("button", { name: /^异常/ })).toBeNull();
  await expect.poll(() => screen.queryByRole("heading", { name: "异常单" })).toBeNull();
  const before = counter.times("cases");
  await user.keyboard("{F11}");
  counter.emit({ kind: "cases" });
  expect(counter.times("cases")).toBe(before);
});

test("who works alone is told before the release that it will be marked, and it is", async () => {
  const window = await looking("case_alone");
  const { screen, user, counter } = window;
  await user.click(screen.getByRole("button", { name: "现在入账：尉* ¥300.00" }));
  const dialog = within(await screen.findByRole("dialog", { name: "授权入账" }));
  expect(dialog.getByText(/可以由本人放行/)).toBeTruthy();
  expect(dialog.queryByText("收款人不能自己授权。")).toBeNull();
  await approve(window, "2001");
  const noted = within(await screen.findByRole("list", { name: "供查阅" }));
  expect(await noted.findByText("收款人本人放行")).toBeTruthy();
  expect(counter.books.orders.some((order) => order.released_alone)).toBe(true);
});
