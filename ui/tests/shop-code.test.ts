import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { scan } from "./scanner";
import { serving } from "./window";

async function withCode() {
  const window = await serving("shop_code");
  const { user, screen } = window;
  await user.keyboard("1s");
  const button = await screen.findByRole("button", { name: /^出示店码 ¥300.00/ });
  await waitFor(() => expect(button).toHaveProperty("disabled", false));
  await user.click(button);
  const field = await screen.findByRole("textbox", { name: "交易单号或末几位" });
  await waitFor(() => expect(document.activeElement).toBe(field));
  return { ...window, field };
}

/** A press right after the code came is taken for the second of a double one. */
async function record({ user, screen }: Awaited<ReturnType<typeof withCode>>, name = /^登记/) {
  const button = screen.getByRole("button", { name });
  await waitFor(async () => {
    await user.click(button);
    expect(screen.queryByText(/收起店码/)).toBeNull();
  });
}

test("the code is shown, the money is seen, and then it is recorded as unverified", async () => {
  const window = await withCode();
  const { user, screen, counter, field } = window;
  expect(screen.getByRole("img", { name: /店码收款码/ })).toBeTruthy();
  expect(screen.getByText(/没有支付平台会确认这笔款/)).toBeTruthy();
  expect(counter.times("pay_recorded")).toBe(0);
  await user.type(field, "4km9");
  await record(window);
  expect(await screen.findByText(/店码（未核验）已登记/)).toBeTruthy();
  expect(counter.times("shop_code")).toBe(1);
  expect(counter.calls.filter(({ name }) => name === "pay_recorded")).toMatchObject([
    { payload: { channel: "shop_code", reference: "4km9" } },
  ]);
});

test("nothing keyed in is no payment", async () => {
  const { user, screen, desk } = await withCode();
  await waitFor(async () => {
    await user.keyboard("{Enter}");
    expect(screen.getByText(/请录入凭证号或流水号/)).toBeTruthy();
  });
  expect(desk.topUp.shopCode).not.toBeNull();
});

test("put away, the code is gone and the form is as it was", async () => {
  const { user, screen, desk, counter } = await withCode();
  await user.keyboard("{Escape}{Escape}");
  expect(await screen.findByRole("radio", { name: /¥300/ })).toHaveProperty("checked", true);
  expect(desk.topUp.shopCode).toBeNull();
  expect(counter.times("pay_recorded")).toBe(0);
});

test("while the code waits a scan is its number, and a printed offer changes nothing", async () => {
  const { screen, desk, field, counter } = await withCode();
  scan("104567890123456789");
  await waitFor(() => expect(field).toHaveProperty("value", "104567890123456789"));
  expect(counter.times("start_code")).toBe(0);
  scan("QMON:500");
  expect(await screen.findByText(/店码还在等顾客付款/)).toBeTruthy();
  expect(desk.topUp.choice).toEqual({ kind: "amount", fen: 30_000 });
});
