import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { keys, scan } from "./scanner";
import { serving } from "./window";

type Window = Awaited<ReturnType<typeof serving>>;

/** The field, once the keyboard is in it. */
async function field({ screen }: Pick<Window, "screen">, name: RegExp) {
  const found = await screen.findByRole("textbox", { name });
  await waitFor(() => expect(document.activeElement).toBe(found));
  return found;
}

test("a card payment by keyboard alone: amount, method, reference", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1k");
  await field({ screen }, /凭证号或参考号/);
  expect(await screen.findByText(/先在银行的刷卡终端收 ¥300.00/)).toBeTruthy();
  await user.paste("000 123");
  await user.keyboard("{Enter}");
  expect(await screen.findByText("人工登记，未经支付平台核验 · 凭证号 000123")).toBeTruthy();
  expect(counter.calls.filter(({ name }) => name === "pay_recorded")).toMatchObject([
    {
      payload: {
        channel: "card",
        reference: "000 123",
        reference_confirmed: false,
        duplicate_confirmed: false,
      },
    },
  ]);
});

test("digits beside the reference never change what is sold", async () => {
  const { user, screen } = await serving();
  await user.keyboard("1t");
  const reference = await field({ screen }, /银行流水号/);
  // A letter belongs to the reference as well.
  await user.keyboard("20w");
  await waitFor(() => expect(reference).toHaveProperty("value", "20w"));
  expect(screen.getByRole("radio", { name: /¥300/ })).toHaveProperty("checked", true);
  await user.keyboard("{Escape}");
  await waitFor(() => expect(document.activeElement).not.toBe(reference));
  await user.keyboard("2");
  await waitFor(() =>
    expect(screen.getByRole("radio", { name: /¥500/ })).toHaveProperty("checked", true),
  );
});

test.each([
  ["", /请录入凭证号或流水号/],
  ["12", /至少要 4 位/],
  ["1".repeat(33), /最多 32 位/],
  ["1234😀", /不能有“😀”/],
] as const)("%s is no reference, and the reason stands beside it", async (typed, reason) => {
  const { user, screen } = await serving();
  await user.keyboard("1k");
  const reference = await field({ screen }, /凭证号或参考号/);
  if (typed !== "") await user.paste(typed);
  await user.keyboard("{Enter}");
  expect(await screen.findByText(reason)).toBeTruthy();
  expect(reference.getAttribute("aria-invalid")).toBe("true");
  // Put right, it is taken.
  await user.clear(reference);
  await user.paste("000123");
  await user.keyboard("{Enter}");
  expect(await screen.findByText(/凭证号 000123/)).toBeTruthy();
});

async function recorded(key: string, reference: string) {
  const window = await serving();
  const { user } = window;
  const record = async (amount: string) => {
    await user.keyboard(`${amount}${key}`);
    await field(window, /凭证号或参考号|银行流水号/);
    await user.paste(reference);
    await user.keyboard("{Enter}");
  };
  await record("1");
  await window.screen.findByText(new RegExp(`凭证号 ${reference}`));
  await window.screen.findByRole("button", { name: /下一位/ });
  window.desk.nextCustomer();
  await user.type(await window.screen.findByRole("combobox"), "张伟{Enter}");
  await window.screen.findByRole("radio", { name: /¥300/ });
  await record("2");
  return window;
}

test("a voucher number used today is asked about, and Enter answers nothing", async () => {
  const { user, screen, counter } = await recorded("k", "000123");
  const asked = () => screen.findByRole("alertdialog", { name: "这个凭证号今天用过" });
  await asked();
  await user.keyboard("{Enter}");
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(counter.times("pay_recorded")).toBe(2);
  await user.click(screen.getByRole("button", { name: /^登记 ¥500.00/ }));
  await asked();
  await user.keyboard("y");
  await waitFor(() => expect(counter.times("pay_recorded")).toBe(4));
  expect(await screen.findByText(/凭证号 000123/)).toBeTruthy();
  expect(counter.calls.filter(({ name }) => name === "pay_recorded").at(-1)).toMatchObject({
    payload: { reference_confirmed: true },
  });
});

test("a transfer recorded before is refused beside its number", async () => {
  const { screen } = await recorded("t", "20261122-77");
  expect(await screen.findByText(/这笔转账已登记在单号/)).toBeTruthy();
  expect(screen.queryByRole("alertdialog")).toBeNull();
});

test("another method forgets the reference", async () => {
  const { user, screen } = await serving();
  await user.keyboard("1k");
  const voucher = await field({ screen }, /凭证号或参考号/);
  await user.paste("000123");
  await user.keyboard("{Escape}");
  await waitFor(() => expect(document.activeElement).not.toBe(voucher));
  await user.keyboard("t");
  expect(await field({ screen }, /银行流水号/)).toHaveProperty("value", "");
});

test("offline a card payment takes a manager", async () => {
  const { user, screen, counter } = await serving("offline");
  expect(screen.getByRole("radio", { name: /刷卡.*离线需店长授权/ })).toHaveProperty(
    "disabled",
    false,
  );
  expect(screen.getByRole("radio", { name: /现金/ })).toHaveProperty("checked", true);
  await user.keyboard("1k");
  await field({ screen }, /凭证号或参考号/);
  await user.paste("000123");
  await user.keyboard("{Enter}");
  const dialog = await screen.findByRole("dialog", { name: "需要店长授权" });
  expect(dialog.textContent).toContain("授权登记这一笔 ¥300.00");
  await user.type(screen.getByRole("textbox", { name: "店长工号" }), "2001");
  await user.type(screen.getByLabelText("店长 PIN"), "2001{Enter}");
  expect(await screen.findByText(/凭证号 000123/)).toBeTruthy();
  expect(screen.getByRole("heading", { name: "刷卡已登记，余额暂记" })).toBeTruthy();
  expect(document.querySelector("[aria-live=assertive]")?.textContent).toMatch(
    /刷卡已登记，余额暂记/,
  );
  expect(counter.calls.filter(({ name }) => name === "pay_recorded").at(-1)).toMatchObject({
    payload: { approval: { staff_no: "2001", pin: "2001" } },
  });
});

/** Both have the form of a payment code: of WeChat, and of nobody's. */
const SERIALS = ["104567890123456789", "9876543210987654", "BOC-000123"];

test.each(SERIALS)(
  "the voucher number %s scanned is the reference, and charges nobody",
  async (serial) => {
    const { user, screen, counter, desk } = await serving();
    await user.keyboard("1k");
    const reference = await field({ screen }, /凭证号或参考号/);
    // What a hand began is replaced: a reference of two halves is none.
    await user.paste("0001");
    scan(serial);
    await waitFor(() => expect(reference).toHaveProperty("value", serial));
    expect(desk.topUp).toMatchObject({ wish: "card", question: null, busy: false });
    expect(counter.times("pay_recorded")).toBe(0);
    await waitFor(async () => {
      await user.keyboard("{Enter}");
      expect(counter.times("pay_recorded")).toBe(1);
    });
    expect(counter.calls.find(({ name }) => name === "pay_recorded")).toMatchObject({
      payload: { channel: "card", reference: serial },
    });
    expect(counter.times("start_code")).toBe(0);
  },
);

test.each(["k", "t"])(
  "with %s chosen a scan anywhere on the form is the reference",
  async (key) => {
    const { user, screen, counter, desk } = await serving();
    await user.keyboard(`1${key}`);
    const reference = await field({ screen }, /凭证号或参考号|银行流水号/);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(document.activeElement).not.toBe(reference));
    scan(SERIALS[0]!);
    await waitFor(() => expect(reference).toHaveProperty("value", SERIALS[0]));
    // Its digits are no keys of the form either.
    expect(desk.topUp.choice).toEqual({ kind: "amount", fen: 30_000 });
    expect(counter.times("start_code")).toBe(0);
  },
);

test("in the search box a scan is looked for, and charges nobody either", async () => {
  const { user, screen, counter, desk } = await serving();
  await user.keyboard("1k");
  await field({ screen }, /凭证号或参考号/);
  screen.getByRole("combobox").focus();
  scan(SERIALS[0]!);
  await waitFor(() =>
    expect(counter.calls.at(-1)).toEqual({
      ...{ name: "search_members", payload: { text: SERIALS[0], exact: true } },
    }),
  );
  expect(desk.topUp.reference).toBe("");
  expect(counter.times("start_code")).toBe(0);
});

test("a printed offer stays an offer beside the reference", async () => {
  const { user, screen, desk } = await serving();
  await user.keyboard("1k");
  await field({ screen }, /凭证号或参考号/);
  scan("QMON:500");
  await waitFor(() => expect(desk.topUp.choice).toEqual({ kind: "amount", fen: 50_000 }));
  expect(desk.topUp.reference).toBe("");
});

test("the first keys of a burst leave the reference as it was", async () => {
  const { user, screen, desk } = await serving();
  await user.keyboard("1k");
  const reference = await field({ screen }, /凭证号或参考号/);
  await user.paste("000123");
  const undo = desk.topUp.remember();
  keys("9");
  await waitFor(() => expect(desk.topUp.reference).toBe("0001239"));
  undo();
  await waitFor(() => expect(reference).toHaveProperty("value", "000123"));
});

test.each([
  ["reference_used", "duplicate_suspected"],
  ["duplicate_suspected", "reference_used"],
] as const)("%s and then %s are two questions, not three", async (first, second) => {
  const { user, screen, counter, desk } = await serving();
  await user.keyboard("1k");
  await field({ screen }, /凭证号或参考号/);
  await user.paste("000123");
  for (const code of [first, second]) counter.refuse("pay_recorded", { code });
  await user.keyboard("{Enter}");
  for (const times of [1, 2]) {
    await waitFor(() => expect(counter.times("pay_recorded")).toBe(times));
    await screen.findByRole("alertdialog");
    await waitFor(() => expect(desk.topUp.busy).toBe(false));
    await user.keyboard("y");
  }
  await waitFor(() => expect(counter.times("pay_recorded")).toBe(3));
  expect(await screen.findByText(/凭证号 000123/)).toBeTruthy();
  expect(counter.calls.filter(({ name }) => name === "pay_recorded").at(-1)).toMatchObject({
    payload: { reference_confirmed: true, duplicate_confirmed: true },
  });
});
