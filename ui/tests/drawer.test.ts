import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { scan } from "./scanner";
import { openWindow, serving } from "./window";

const APPROVED = "2001";

test("the counter opens the drawer for a reason and with a manager's PIN", async () => {
  const { counter, screen, user } = await openWindow("counter");
  await user.click(await screen.findByRole("button", { name: "开钱箱" }));
  const dialog = await screen.findByRole("dialog", { name: "开钱箱" });
  expect(await screen.findByRole("textbox", { name: "店长工号" })).toBe(document.activeElement);
  await user.keyboard(`${APPROVED}{Tab}0000{Enter}`);
  expect(await screen.findByText(/PIN 不正确|PIN 错误|还可以/)).toBeTruthy();
  expect(counter.books.prints).toEqual([]);
  await user.click(screen.getByRole("radio", { name: "其他" }));
  await user.click(screen.getByLabelText("店长 PIN"));
  await user.keyboard(`${APPROVED}{Enter}`);
  expect(await screen.findByText("请用 1 到 40 个字写明原因")).toBeTruthy();
  await user.type(screen.getByRole("textbox", { name: /原因/ }), "锁孔上油{Enter}");
  await screen.findByText("已记录开钱箱");
  expect(dialog.isConnected).toBe(false);
  expect(counter.books.prints.map(({ holder, state }) => [holder, state])).toEqual([
    [null, "printed"],
  ]);
  await user.keyboard("{F8}");
  expect(await screen.findByText("已打开")).toBeTruthy();
});

test("nobody leaves before it is known what became of it", async () => {
  const { counter, screen, user } = await openWindow("counter");
  await user.click(await screen.findByRole("button", { name: "开钱箱" }));
  const dialog = await screen.findByRole("dialog", { name: "开钱箱" });
  await screen.findByRole("textbox", { name: "店长工号" });
  const answer = counter.hold("open_drawer");
  await user.keyboard(`${APPROVED}{Tab}${APPROVED}{Enter}{Escape}`);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: /返回/ }).disabled).toBe(true);
  expect(dialog.isConnected).toBe(true);
  answer();
  await screen.findByText("已记录开钱箱");
  expect(dialog.isConnected).toBe(false);
});

test("a card that is scanned is nobody's PIN, and what was typed stays", async () => {
  const { counter, screen, user } = await openWindow("counter");
  await user.click(await screen.findByRole("button", { name: "开钱箱" }));
  await screen.findByRole("textbox", { name: "店长工号" });
  await user.keyboard(`${APPROVED}{Tab}20`);
  const pin = screen.getByLabelText("店长 PIN");
  for (const pace of [10, 60]) {
    scan("00201-8812", pace);
    await waitFor(() => expect(counter.times("read_scan")).toBe(pace === 10 ? 1 : 2));
  }
  expect(await screen.findByText(/请先办完或关掉打开的小窗，再扫一次/)).toBeTruthy();
  expect(pin).toHaveProperty("value", "20");
  expect(document.activeElement).toBe(pin);
  expect(counter.times("open_drawer")).toBe(0);
  await user.keyboard("01{Enter}");
  await screen.findByText("已记录开钱箱");
});

test("the command bar leads to it, and without a drawer it is said", async () => {
  const { counter, screen, user } = await serving();
  await user.keyboard("{Control>}k{/Control}");
  await user.type(await screen.findByRole("combobox", { name: /说清给谁/ }), "开钱箱");
  await screen.findByText(/须店长授权/);
  counter.books.session.settings.printer.drawer = false;
  await user.keyboard("{Enter}");
  await screen.findByRole("dialog", { name: "开钱箱" });
  expect(await screen.findByText(/设置里配好钱箱/)).toBeTruthy();
  const go = screen.getByRole<HTMLButtonElement>("button", { name: /授权并打开/ });
  expect(go.disabled).toBe(true);
});

test("a drawer that stayed shut is offered again, and a slip's other ways are not", async () => {
  const { counter, screen, user } = await openWindow("counter");
  await user.click(await screen.findByRole("button", { name: "开钱箱" }));
  await screen.findByRole("textbox", { name: "店长工号" });
  await user.keyboard(`${APPROVED}{Tab}${APPROVED}{Enter}`);
  await screen.findByText("已记录开钱箱");
  const [job] = counter.books.prints;
  Object.assign(job!, { state: "failed", trouble: "error.drawer_shut" });
  await user.keyboard("{F8}");
  expect(await screen.findByText("未打开")).toBeTruthy();
  const names = screen.getAllByRole("button").map((button) => button.getAttribute("aria-label"));
  expect(names.filter((name) => name !== null && /打印|不打|钱箱/.test(name))).toEqual([
    "重试打印  开钱箱",
  ]);
});
