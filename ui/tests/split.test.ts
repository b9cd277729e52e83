import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { serving } from "./window";

type Window = Awaited<ReturnType<typeof serving>>;

/** 300 by card, the keyboard in the field for the part in cash. */
async function splitting() {
  const window = await serving();
  await window.user.keyboard("1k");
  const reference = await window.screen.findByRole("textbox", { name: /凭证号或参考号/ });
  await waitFor(() => expect(document.activeElement).toBe(reference));
  return { ...window, reference };
}

const partField = ({ screen }: Pick<Window, "screen">) =>
  screen.findByRole<HTMLInputElement>("textbox", { name: "其中现金" });

test("a split by keyboard alone: reference, part in cash, Enter", async () => {
  const { user, screen, counter } = await splitting();
  await user.paste("000123");
  await user.keyboard("{Tab}");
  expect(document.activeElement).toBe(await partField({ screen }));
  await user.keyboard("100");
  expect(await screen.findByText(/先在银行的刷卡终端收 ¥200.00.*再收现金 ¥100.00/)).toBeTruthy();
  expect(screen.getByText("刷卡 ¥200.00 · 现金 ¥100.00")).toBeTruthy();
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "刷卡＋现金已登记，余额已更新" })).toBeTruthy();
  expect(screen.getByText(/刷卡 ¥200.00 · 现金 ¥100.00/)).toBeTruthy();
  expect(counter.calls.filter(({ name }) => name === "quote").at(-1)).toMatchObject({
    payload: { channel: "card", cash_part: "100" },
  });
  expect(counter.times("pay_recorded")).toBe(1);
});

test.each([
  ["0", /金额必须大于 0/],
  ["300", /现金部分要少于 ¥300/],
  ["300.01", /现金部分要少于 ¥300/],
  ["abc", /请输入数字金额/],
  ["0.001", /最多到分/],
] as const)("%s is no part in cash, and the reason stands beside it", async (typed, reason) => {
  const { user, screen, counter } = await splitting();
  await user.paste("000123");
  const part = await partField({ screen });
  await user.type(part, typed);
  expect(await screen.findByText(reason)).toBeTruthy();
  expect(part.getAttribute("aria-invalid")).toBe("true");
  await user.keyboard("{Enter}");
  expect(counter.times("pay_recorded")).toBe(0);
  // Put right, it is taken.
  await user.clear(part);
  await user.type(part, "299.99");
  await screen.findByText("刷卡 ¥0.01 · 现金 ¥299.99");
  await user.keyboard("{Enter}");
  expect(await screen.findByText(/凭证号 000123/)).toBeTruthy();
});

test.each([
  ["another method", "t"],
  ["another amount", "2"],
] as const)("%s forgets the part in cash", async (_, key) => {
  const { user, screen, counter } = await splitting();
  const part = await partField({ screen });
  await user.type(part, "100");
  await screen.findByText("刷卡 ¥200.00 · 现金 ¥100.00");
  await user.keyboard("{Escape}");
  await waitFor(() => expect(document.activeElement).not.toBe(part));
  await user.click(
    key === "t"
      ? screen.getByRole("radio", { name: /转账/ })
      : screen.getByRole("radio", { name: /¥500/ }),
  );
  await waitFor(async () => expect(await partField({ screen })).toHaveProperty("value", ""));
  await waitFor(() =>
    expect(counter.calls.filter(({ name }) => name === "quote").at(-1)).toMatchObject({
      payload: { cash_part: "" },
    }),
  );
});

test("all of it in cash needs no split", async () => {
  const { user, screen } = await splitting();
  await user.keyboard("{Escape}");
  await user.click(screen.getByRole("radio", { name: /现金/ }));
  await waitFor(() => expect(screen.queryByRole("textbox", { name: "其中现金" })).toBeNull());
});

/** 300 by WeChat with 100 of it in cash, and the question that comes before the code. */
async function cashFirst() {
  const window = await serving();
  await window.user.keyboard("1w");
  await window.user.type(await partField(window), "100");
  await window.screen.findByText(/先收现金 ¥100.00，再由微信收 ¥200.00/);
  await window.user.keyboard("{Enter}");
  const question = await window.screen.findByRole("alertdialog", { name: "先收现金 ¥100.00" });
  return { ...window, question };
}

test("cash is taken before a code is shown, and the code asks for the rest", async () => {
  const { user, screen, question, counter } = await cashFirst();
  expect(counter.times("start_qr")).toBe(0);
  await user.click(within(question).getByRole("button", { name: /现金 ¥100.00 已在手/ }));
  await screen.findByRole("img", { name: /收款码/ });
  expect(screen.getByText("¥200.00")).toBeTruthy();
  expect(screen.getByText(/现金 ¥100.00 在手，放在一边，先不要退/)).toBeTruthy();
  expect(counter.times("start_qr")).toBe(1);
});

test("what ends unpaid says that the cash goes back, on every screen that shows it", async () => {
  const { user, screen, question, counter } = await cashFirst();
  await user.click(within(question).getByRole("button", { name: /已在手/ }));
  await screen.findByRole("img", { name: /收款码/ });
  const order = counter.books.orders[0]!;
  Object.assign(order, { stage: "failed", qr: null, loose_cash: "keep_or_give_back" });
  counter.emit({ kind: "order", order });
  expect(await screen.findByText(/现金 ¥100.00 还在手上/)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: /不收了/ }));
  expect(await screen.findByText("请把现金 ¥100.00 退还顾客")).toBeTruthy();
  await user.keyboard("{F7}");
  expect(await screen.findByText("现金 ¥100 应退")).toBeTruthy();
  await user.click(await screen.findByRole("button", { name: new RegExp(order.order_no) }));
  expect(await screen.findByText("请把现金 ¥100.00 退还顾客")).toBeTruthy();
});

test("a payment code keeps the part in cash, whose wallet it is", async () => {
  const { user, screen, desk, question: first, counter } = await cashFirst();
  await user.click(within(first).getByRole("button", { name: /返回/ }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  void desk.topUp.payByCode("alipay", "287654321098765432");
  const question = await screen.findByRole("alertdialog", { name: "先收现金 ¥100.00" });
  expect(within(question).getByText(/由支付宝收 ¥200.00/)).toBeTruthy();
  await user.click(within(question).getByRole("button", { name: /已在手/ }));
  await waitFor(() => expect(counter.times("start_code")).toBe(1));
  expect(counter.calls.filter(({ name }) => name === "quote").at(-1)).toMatchObject({
    payload: { channel: "alipay", cash_part: "100" },
  });
});
