import { waitFor } from "@testing-library/dom";
import { expect, onTestFinished, test, vi } from "vitest";

import { isImplausible } from "../src/app/tender";
import type { SyncState } from "../src/bindings/SyncState";
import type { TopUpForm } from "../src/bindings/TopUpForm";
import { aMoment, openWindow, serving } from "./window";

test("a known member with cash takes three actions", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1");
  await user.keyboard("c");
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "现金已收，余额已更新" })).toBeTruthy();
  expect(counter.calls.filter(({ name }) => name === "pay_cash")).toMatchObject([
    { payload: { tendered: "", duplicate_confirmed: false } },
  ]);
});

test("cash shows the change while typing and on the success screen", async () => {
  const { user, screen } = await serving();
  await user.keyboard("1c500");
  expect(await screen.findByText("¥200.00")).toBeTruthy();
  await user.keyboard("{Enter}");
  expect(await screen.findByText("请找零")).toBeTruthy();
  expect(screen.getByText("¥200.00")).toBeTruthy();
});

test("sums of cash have keys that are no figures", async () => {
  const { user, screen, desk } = await serving();
  await user.keyboard("1c");
  const cash = await screen.findByRole("textbox", { name: /实收/ });
  await waitFor(() => expect(document.activeElement).toBe(cash));
  const sums = screen.getByRole("group", { name: "常用面额" });
  const shown = [...sums.querySelectorAll("button")].map((sum) => sum.textContent?.trim());
  expect(shown).toEqual(["刚好V", "¥500B", "¥1,000N"]);
  await user.keyboard("b");
  expect(desk.topUp.tendered).toBe("500");
  await user.keyboard("v");
  expect(desk.topUp.tendered).toBe("300");
  await user.keyboard("m");
  expect(desk.topUp.tendered, "there is no such sum").toBe("300");
});

test("cash that nobody would hand over is asked about once, beside the field", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1c");
  await aMoment();
  await user.keyboard("30000{Enter}{Enter}");
  expect(await screen.findByText(/^收到 ¥30,000\.00，要找零 ¥29,700\.00？/)).toBeTruthy();
  expect(counter.times("pay_cash"), "a double Enter answers nothing").toBe(0);
  await waitFor(
    async () => {
      await user.keyboard("{Enter}");
      expect(counter.times("pay_cash")).toBe(1);
    },
    { timeout: 120_000 },
  );
  expect(counter.calls.find(({ name }) => name === "pay_cash")).toMatchObject({
    payload: { tendered: "30000" },
  });
});

test("cash put right after the question is taken without another", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1c");
  await aMoment();
  await user.keyboard("30000{Enter}");
  expect(await screen.findByText(/^收到 ¥30,000/)).toBeTruthy();
  await user.keyboard("{Backspace}{Backspace}");
  await waitFor(() => expect(screen.queryByText(/^收到 ¥/)).toBeNull());
  await waitFor(
    async () => {
      await user.keyboard("{Enter}");
      expect(counter.times("pay_cash")).toBe(1);
    },
    { timeout: 120_000 },
  );
});

test.each([
  [30_000, 30_000, false],
  [10_000, 500, false],
  [20_000, 1_000, true],
  [50_000, 30_000, false],
  [300_000, 30_000, true],
  [299_999, 30_000, false],
])("%d fen for %d is a slip of the finger: %s", (tendered, pay, expected) => {
  expect(isImplausible(tendered, pay)).toBe(expected);
});

test("a letter in the cash field chooses another method", async () => {
  const { user, screen } = await serving();
  await user.keyboard("c250w");
  expect(await screen.findByRole("button", { name: /^收款 ¥500/ })).toBeTruthy();
  expect(screen.getByRole("radio", { name: /微信/ })).toHaveProperty("checked", true);
});

/** Keys from an empty form, and what is handed to the counter. */
const DIGITS: ["counter" | "offline", string, number, string][] = [
  ["counter", "c2505{Enter}", 50_000, "505"],
  ["counter", "2c505{Enter}", 50_000, "505"],
  ["offline", "2505{Enter}", 50_000, "505"],
  ["offline", "2c505{Enter}", 50_000, "505"],
  ["offline", "2{Escape}1500{Enter}", 30_000, "500"],
  ["offline", "2{Escape}2505{Enter}", 50_000, "505"],
];

test.each(DIGITS)("%s: %s sells %d for %s", async (scene, keys, pay_fen, tendered) => {
  const { user, counter } = await serving(scene);
  await user.keyboard(keys);
  await waitFor(() => expect(counter.times("pay_cash")).toBe(1));
  const paid = counter.calls.find(({ name }) => name === "pay_cash");
  expect(paid).toMatchObject({ payload: { tendered } });
  expect(counter.books.orders[0]).toMatchObject({ pay_fen });
});

test("digits beside the cash field are money, wherever the focus went", async () => {
  const { user, screen, desk } = await serving("offline");
  await user.click(screen.getByRole("radio", { name: /¥500/ }));
  const field = screen.getByRole("textbox", { name: "实收现金" });
  await waitFor(() => expect(document.activeElement).toBe(field));
  field.blur();
  await user.keyboard("505");
  expect(field).toHaveProperty("value", "505");
  expect(desk.topUp.choice).toEqual({ kind: "amount", fen: 50_000 });
});

test("cash after a failed payment takes the next digits", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("2w{Enter}");
  await screen.findByRole("img", { name: /收款码/ });
  const order = counter.books.orders[0]!;
  const failure = { code: "X", message_key: "decline.risk_control" };
  counter.emit({ kind: "order", order: Object.assign(order, { stage: "failed", failure }) });
  await screen.findByRole("button", { name: /改用现金/ });
  await user.keyboard("c");
  const field = await screen.findByRole("textbox", { name: "实收现金" });
  await waitFor(() => expect(document.activeElement).toBe(field));
  await user.keyboard("505{Enter}");
  expect(await screen.findByText("¥5.00")).toBeTruthy();
});

test.each(["{Enter}", "{Escape}"])("a hasty %s leaves the change on the screen", async (key) => {
  let nowMs = 1_000_000;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  onTestFinished(() => clock.mockRestore());
  const { user, screen } = await serving();
  await user.keyboard("1c500{Enter}");
  await screen.findByText("请找零");
  await user.keyboard(key);
  nowMs += 699;
  await user.keyboard(key);
  expect(screen.getByText("¥200.00")).toBeTruthy();
  nowMs += 1;
  await user.keyboard(key);
  expect(await screen.findByText("请查找会员")).toBeTruthy();
});

test("too little cash is said next to the field and nothing is taken", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1c100{Enter}");
  const field = await screen.findByRole("textbox", { name: "实收现金" });
  await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
  expect(counter.books.members[0]?.available_fen).toBe(53_000);
});

test("offline a large amount of cash waits for a manager's number and PIN", async () => {
  const { user, screen, counter } = await serving("offline");
  await user.keyboard("0");
  await user.keyboard("1500");
  await user.keyboard("{Enter}{Enter}");
  const dialog = await screen.findByRole("dialog", { name: "需要店长授权" });
  expect(dialog.textContent).toContain("离线时单笔现金最多 ¥1000.00");
  expect(counter.times("pay_cash")).toBe(1);

  const number = screen.getByRole("textbox", { name: "店长工号" });
  const pin = screen.getByLabelText("店长 PIN");
  expect(document.activeElement).toBe(number);
  await user.keyboard("{Enter}");
  expect(counter.times("pay_cash")).toBe(1);
  await user.type(number, "1001");
  await user.type(pin, "1001{Enter}");
  expect(await screen.findByText(/这个工号不是店长/)).toBeTruthy();
  expect(number.getAttribute("aria-invalid")).toBe("true");
  await user.clear(number);
  await user.type(number, "2001");
  await user.type(pin, "0000{Enter}");
  expect(await screen.findByText(/PIN 不对/)).toBeTruthy();
  expect(document.activeElement).toBe(pin);
  expect(pin).toHaveProperty("value", "");
  await user.type(pin, "2001{Enter}");
  expect(await screen.findByText(/店长授权：王敏/)).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("a manager's question that is left takes nothing", async () => {
  const { user, screen, counter } = await serving("offline");
  await user.keyboard("01500{Enter}");
  await screen.findByRole("dialog", { name: "需要店长授权" });
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(counter.times("pay_cash")).toBe(1);
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("dialog", { name: "需要店长授权" })).toBeTruthy();
});

test("a double click and a double Enter send one payment", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1");
  const open = counter.hold("start_qr");
  const button = await screen.findByRole("button", { name: /收款 ¥300/ });
  await user.dblClick(button);
  await user.keyboard("{Enter}{Enter}");
  expect(counter.times("start_qr")).toBe(1);
  expect(button).toHaveProperty("disabled", true);
  open();
  expect(await screen.findByRole("img", { name: /收款码/ })).toBeTruthy();
});

const TYPED: [string, string][] = [
  ["0", "金额必须大于 0"],
  ["-5", "金额不能为负数"],
  ["0.001", "金额最多到分（两位小数）"],
  ["1e9", "请输入数字金额，例如 300 或 300.50"],
  ["99999999999999", "金额过大，请检查"],
];

test.each(TYPED)("typing %s says why not, under the field", async (text, sentence) => {
  const { user, screen } = await serving();
  await user.keyboard("0");
  await user.type(screen.getByRole("textbox", { name: "自定义金额" }), text);
  expect((await screen.findByRole("alert")).textContent).toContain(sentence);
  expect(screen.getByRole("button", { name: /收款/ })).toHaveProperty("disabled", true);
});

const PRICED: [string, string][] = [
  ["1,000", "1,000.00"],
  ["１０００", "1,000.00"],
  ["三百", "300.00"],
];

test.each(PRICED)("typing %s prices ¥%s", async (text, amount) => {
  const { user, screen } = await serving();
  await user.keyboard("0");
  await user.type(screen.getByRole("textbox", { name: "自定义金额" }), text);
  expect(await screen.findByRole("button", { name: new RegExp(`收款 ¥${amount}`) })).toBeTruthy();
});

test("a limit that blocks says so and leaves nothing to press", async () => {
  const { user, screen } = await serving();
  await user.keyboard("08000");
  const reason = await screen.findByText(/超过单张卡上限 ¥5,000.00.*请改小金额/);
  expect(reason.closest("footer")).toBeTruthy();
  expect(reason.textContent).not.toContain("换方式");
  expect(screen.getByRole("button", { name: /收款/ })).toHaveProperty("disabled", true);
});

test("what a limit forbids says why on its card and is not called the best", async () => {
  const { user, screen, counter, desk } = await openWindow("counter");
  const call = counter.call.bind(counter);
  const limit = { limit_fen: 300_000, reached_fen: 500_000, blocks: true, reviews: false };
  const card = { ...limit, message_key: "limit.outstanding_principal" };
  const cash = { ...limit, message_key: "limit.new_member_cash" };
  vi.spyOn(counter, "call").mockImplementation(async (name, payload) => {
    const answer = await call(name, payload);
    if (name !== "top_up_form") return answer;
    const form = answer as TopUpForm;
    Object.assign(form.offers[5]!, { blocked: card, blocked_in_cash: card });
    Object.assign(form.offers[4]!, { most_favourable: true, blocked_in_cash: cash });
    return answer;
  });
  await user.type(await screen.findByRole("combobox"), "张伟{Enter}");
  const words = (name: RegExp) =>
    screen.getByRole("radio", { name }).closest("label")!.textContent.replaceAll(/\s+/g, " ");
  await screen.findByRole("radio", { name: /¥300/ });
  expect(words(/^¥5,000/)).toContain("超单卡上限 ¥3,000");
  expect(words(/^¥5,000/)).not.toContain("最优惠");
  expect(words(/^¥3,000/)).toContain("最优惠");
  await user.keyboard("c");
  expect(desk.topUp.channel).toBe("cash");
  expect(words(/^¥3,000/)).toContain("新会员现金超 ¥3,000");
  expect(words(/^¥3,000/)).not.toContain("最优惠");
});

test("only a limit on cash advises another method, in one notice", async () => {
  const { user, screen, counter } = await serving();
  const limits = { limit_fen: 10_000, reached_fen: 50_000, blocks: true, reviews: false };
  const keys = ["limit.new_member_cash", "limit.single_pay", "limit.day_sum"];
  const call = counter.call.bind(counter);
  vi.spyOn(counter, "call").mockImplementation(async (name, payload) => {
    const answer = await call(name, payload);
    if (name !== "quote") return answer;
    const notices = keys.map((message_key) => ({ ...limits, message_key }));
    return { ...(answer as object), blocked: true, notices } as typeof answer;
  });
  await user.keyboard("c6");
  expect(await screen.findByText(/新会员现金.*换方式/)).toBeTruthy();
  expect(screen.queryByText(/单笔|24 小时/)).toBeNull();
  expect(screen.queryByText("最优惠")).toBeNull();
});

test("what a reviewer must see can be charged by no method, and hides no part that is typed", async () => {
  const { user, screen, counter } = await serving();
  const part = () => screen.queryByRole("textbox", { name: "其中现金" });
  const limit = { limit_fen: 10_000, reached_fen: 50_000, blocks: true, reviews: true };
  const notices = [{ ...limit, message_key: "limit.single_pay" }];
  const call = counter.call.bind(counter);
  let reviewed = false;
  vi.spyOn(counter, "call").mockImplementation(async (name, payload) => {
    const answer = await call(name, payload);
    if (name !== "quote" || !reviewed) return answer;
    return { ...(answer as object), blocked: true, notices } as typeof answer;
  });
  await user.keyboard("1w");
  await waitFor(() => expect(part()).toBeTruthy());
  reviewed = true;
  await user.keyboard("2");
  await waitFor(() => expect(part()).toBeNull());
  reviewed = false;
  await user.keyboard("1");
  await waitFor(() => expect(part()).toBeTruthy());
  reviewed = true;
  await user.type(part()!, "100");
  await screen.findByText(/单笔.*¥100.*须先审核.*请改小金额，或请店长在办公室处理/);
  expect(part()).toHaveProperty("value", "100");
  await user.keyboard("{Enter}");
  expect(screen.getByRole("button", { name: /^收款/ })).toHaveProperty("disabled", true);
  expect(counter.times("start_qr")).toBe(0);
});

test("an equal top-up asks first, and the second press of Enter does not answer", async () => {
  const { user, screen, counter } = await serving();
  counter.refuse("pay_cash", { code: "duplicate_suspected" });
  await user.keyboard("1c{Enter}");
  await screen.findByRole("alertdialog", { name: "两分钟内充过同样的金额" });
  await user.keyboard("{Enter}");
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(counter.times("pay_cash")).toBe(1);
  counter.refuse("pay_cash", { code: "duplicate_suspected" });
  await user.keyboard("{Enter}");
  await screen.findByRole("alertdialog");
  await user.keyboard("y");
  await screen.findByRole("heading", { name: "现金已收，余额已更新" });
  const [first, , last] = counter.calls.filter(({ name }) => name === "pay_cash");
  const intent = (first?.payload as { intent: string }).intent;
  expect(last?.payload).toMatchObject({ intent, duplicate_confirmed: true });
});

test("a changed price is shown and not charged", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1w");
  await screen.findByRole("button", { name: /收款 ¥300/ });
  counter.refuse("start_qr", { code: "quote_changed" });
  counter.books.members[0]!.available_fen -= 5_000;
  await user.keyboard("{Enter}");
  await screen.findByRole("alertdialog", { name: "价格有变化，尚未收款" });
  expect(counter.times("start_qr")).toBe(1);
  await user.keyboard("y");
  expect(await screen.findByRole("img", { name: /收款码/ })).toBeTruthy();
});

test("a price that is only older goes through without a question", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1w");
  await screen.findByRole("button", { name: /收款 ¥300/ });
  counter.refuse("start_qr", { code: "quote_changed" });
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("img", { name: /收款码/ })).toBeTruthy();
  expect(counter.times("start_qr")).toBe(2);
});

test("a price refused again is not charged a third time", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1w");
  await screen.findByRole("button", { name: /收款 ¥300/ });
  const again = { code: "quote_changed", message_key: "error.quote_changed" } as const;
  for (let turn = 0; turn < 5; turn++) counter.refuse("start_qr", again);
  await user.keyboard("{Enter}");
  expect(await screen.findByText("价格有变化，请重新确认。没有收款。")).toBeTruthy();
  expect(counter.times("start_qr")).toBe(2);
  expect(screen.getByRole("button", { name: /收款 ¥300/ })).toHaveProperty("disabled", false);
});

const OUT_OF_REACH = ["offline", "stopped"] as const;

test.each(OUT_OF_REACH)("%s, only cash is offered and the balance provisional", async (state) => {
  const { user, screen, counter, desk } = await openWindow("offline");
  counter.books.session.sync.state = state;
  await desk.refreshSession();
  await user.type(await screen.findByRole("combobox"), "张伟{Enter}");
  await screen.findByRole("radio", { name: /¥300/ });
  expect(screen.getByRole("radio", { name: /微信/ })).toHaveProperty("disabled", true);
  await user.keyboard("1{Enter}");
  expect(await screen.findByRole("heading", { name: "现金已收，余额暂记" })).toBeTruthy();
  expect(screen.getByText("离线待同步")).toBeTruthy();
  expect(document.querySelector("[aria-live=assertive]")?.textContent).toMatch(
    /现金已收，余额暂记/,
  );
  expect(screen.getByText(/与服务器恢复同步后自动上传/)).toBeTruthy();
});

const line = (state: SyncState) => ({
  state,
  stopped_key: null,
  copy_key: null,
  pending: 0,
  oldest_ms: null,
  last_contact_ms: 1,
});

test.each(OUT_OF_REACH)("%s for a blink turns no WeChat payment into cash", async (state) => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1w");
  await screen.findByRole("button", { name: /收款 ¥300/ });
  counter.sync(line(state));
  await screen.findByText(/微信暂时用不了，没有收款/);
  expect(screen.getByRole("button", { name: /^收款/ })).toHaveProperty("disabled", true);
  expect(screen.getByRole("radio", { name: /现金/ })).toHaveProperty("checked", false);
  await user.keyboard("w{Enter}{Enter}");
  counter.sync(line("synced"));
  await screen.findByRole("button", { name: /收款 ¥300/ });
  expect(screen.getByRole("radio", { name: /微信/ })).toHaveProperty("checked", true);
  expect(counter.times("pay_cash") + counter.times("start_qr")).toBe(0);
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("img", { name: /收款码/ })).toBeTruthy();
  expect(counter.times("pay_cash")).toBe(0);
});

test("offers that changed during a charge are asked for after it", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1c100");
  const letGo = counter.hold("pay_cash");
  await user.keyboard("{Enter}");
  await waitFor(() => expect(counter.times("pay_cash")).toBe(1));
  const asked = counter.times("top_up_form");
  counter.sync(line("offline"));
  await screen.findByText(/离线/);
  expect(counter.times("top_up_form")).toBe(asked);
  letGo();
  await waitFor(() =>
    expect(screen.getByRole("radio", { name: /微信/ })).toHaveProperty("disabled", true),
  );
  expect(counter.times("top_up_form")).toBe(asked + 1);
});

test("cash that the cashier chose in an outage stays chosen after it", async () => {
  const { user, screen, counter } = await serving();
  await user.keyboard("1w");
  counter.sync(line("offline"));
  await screen.findByText(/微信暂时用不了/);
  await user.keyboard("c");
  await screen.findByRole("button", { name: /收现金 ¥300/ });
  counter.sync(line("synced"));
  await waitFor(() =>
    expect(screen.getByRole("radio", { name: /微信/ })).toHaveProperty("disabled", false),
  );
  expect(await screen.findByRole("button", { name: /收现金 ¥300/ })).toBeTruthy();
  expect(screen.getByRole("radio", { name: /现金/ })).toHaveProperty("checked", true);
});

test("a late answer about the methods does not undo a newer one", async () => {
  const { user, screen, counter, desk } = await serving();
  await user.keyboard("1w");
  await screen.findByRole("button", { name: /收款 ¥300/ });
  let deliver = () => {};
  const delivery = new Promise<void>((resolve) => (deliver = resolve));
  const { sync } = counter.books.session;
  counter.books.session.sync = { ...sync, state: "offline" };
  const late = await counter.call("top_up_form", { member_id: desk.topUp.member!.id });
  counter.books.session.sync = sync;
  vi.spyOn(counter, "call").mockImplementationOnce(() => delivery.then(() => late as never));
  const older = desk.topUp.refreshOffers();
  await desk.topUp.refreshOffers();
  deliver();
  await older;
  expect(await screen.findByRole("button", { name: /收款 ¥300/ })).toBeTruthy();
  expect(screen.getByRole("radio", { name: /微信/ })).toHaveProperty("checked", true);
});

test("a refusal for want of a person brings the sign-in", async () => {
  const { user, screen, counter } = await serving();
  counter.books.session.signed_in = null;
  counter.refuse("quote", { code: "not_signed_in", message_key: "error.not_signed_in" });
  await user.keyboard("1");
  expect(await screen.findByText("谁来收银？")).toBeTruthy();
});

test("what is refused below the fold is brought into view, and the focus stays", async () => {
  const { user, screen } = await serving();
  const shown = vi.spyOn(Element.prototype, "scrollIntoView");
  onTestFinished(() => shown.mockRestore());
  await user.keyboard("1c");
  await aMoment();
  await user.keyboard("30000");
  const focus = document.activeElement;
  shown.mockClear();
  await user.keyboard("{Enter}");
  const doubt = await screen.findByText(/^收到 ¥30,000/);
  await waitFor(() => {
    const places = shown.mock.contexts as Element[];
    expect(places.some((place) => place.contains(doubt))).toBe(true);
  });
  expect(document.activeElement).toBe(focus);
});
