import { readFileSync } from "node:fs";
import { join } from "node:path";

import { screen } from "@testing-library/dom";
import { mount, tick, unmount } from "svelte";
import { afterEach, expect, test, vi } from "vitest";

import { announce, isArrival } from "../src/app/announce";
import type { CustomerView } from "../src/bindings/CustomerView";
import type { Stage } from "../src/bindings/Stage";
import Customer from "../src/features/customer/Customer.svelte";
import { CUSTOMER_SCENES, customerView, type CustomerScene } from "../src/platform/demo/customer";
import { serving } from "./window";

let shown: ReturnType<typeof mount> | undefined;

afterEach(async () => {
  if (shown !== undefined) await unmount(shown);
  shown = undefined;
});

async function display() {
  let show: (view: CustomerView) => void = () => {};
  const feed = (sink: typeof show) => {
    show = sink;
    return Promise.resolve();
  };
  shown = mount(Customer, { target: document.body, props: { feed } });
  return async (view: CustomerView) => {
    show(view);
    await tick();
  };
}

const SAID: [CustomerScene, string, string[], string[]][] = [
  ["brand", "动力健身", ["欢迎光临"], ["¥"]],
  ["preparing", "正在准备，请稍候", ["¥300.00"], ["余额"]],
  ["scan", "请用微信扫码付款", ["会员 张*", "应付", "¥300.00", "赠送", "¥50.00"], ["余额"]],
  ["split", "请用微信扫码付款", ["应付", "¥200.00", "其中现金", "¥100.00"], ["¥300.00", "余额"]],
  ["confirm", "请在手机上确认付款", ["¥300.00"], ["余额"]],
  ["charging", "正在收款，请稍候", ["¥300.00"], ["余额"]],
  ["checking", "正在核实，请不要再次付款", ["金额"], ["余额", "应付", "实付"]],
  ["not_paid", "这一笔没有收款", ["金额"], ["余额", "应付"]],
  ["received", "款已收到，余额稍后到账", ["实付", "¥300.00"], ["充值后"]],
  ["done", "充值成功", ["实付", "充值后余额", "¥880.00"], ["最终确认"]],
  ["cash", "充值成功", ["找零", "¥200.00", "余额联网后最终确认"], ["应付"]],
  ["ask_staff", "请听店员说明", ["金额"], ["余额", "应付", "实付"]],
];

test.each(SAID)("%s", async (scene, heading, there, absent) => {
  const show = await display();
  await show(customerView(CUSTOMER_SCENES[scene]));
  expect(screen.getByRole("heading").textContent).toBe(heading);
  const text = document.body.textContent;
  for (const words of there) expect(text).toContain(words);
  for (const words of absent) expect(text).not.toContain(words);
  const codes = screen.queryAllByRole("img", { name: "微信付款二维码" });
  expect(codes).toHaveLength(["scan", "split", "confirm"].includes(scene) ? 1 : 0);
});

test("every scene is looked at", () => {
  expect(SAID.map(([scene]) => scene)).toEqual(Object.keys(CUSTOMER_SCENES));
});

test("language, theme and colour change while a customer pays", async () => {
  const show = await display();
  const order = CUSTOMER_SCENES.scan;
  await show(customerView(order));
  await show(
    customerView(order, {
      language: "en",
      theme: "dark",
      brand: { accent: "blue", short_name: null },
    }),
  );
  expect(screen.getByRole("heading").textContent).toBe("Scan with WeChat to pay");
  const root = document.documentElement;
  expect([root.lang, root.dataset["theme"]]).toEqual(["en", "dark"]);
  expect(root.style.getPropertyValue("--accent")).not.toBe("");
});

test("both languages say the same", () => {
  const read = (name: string): Record<string, string> =>
    JSON.parse(readFileSync(join(import.meta.dirname, "../messages/customer", name), "utf8"));
  const [zh, en] = [read("zh-CN.json"), read("en.json")];
  expect(Object.keys(en)).toEqual(Object.keys(zh));
  const namesIn = (text: string) => text.match(/\{\w+\}/g) ?? [];
  for (const [key, text] of Object.entries(zh)) {
    expect(namesIn(en[key]!), key).toEqual(namesIn(text));
    expect(en[key], key).not.toMatch(/\p{Script=Han}/u);
  }
});

async function paidInCash() {
  const window = await serving();
  const { counter, user, screen } = window;
  expect(counter.shownToCustomer).toEqual([null]);
  await user.keyboard("1c{Enter}");
  await screen.findByRole("button", { name: /下一位/ });
  return window;
}

test("the counter's window says whose order its customer sees", async () => {
  const { counter, user, screen } = await paidInCash();
  await user.click(await screen.findByRole("button", { name: /下一位/ }));
  const order = counter.books.orders[0]!.id;
  await vi.waitFor(() => expect(counter.shownToCustomer).toEqual([null, order, null]));
});

const NEWS: [Stage | undefined, Stage, boolean][] = [
  [undefined, "credited", true],
  ["waiting", "credited", true],
  ["unknown", "credited", true],
  ["waiting", "paid", true],
  ["ended", "paid", true],
  ["paid", "credited", false],
  ["credited", "paid", false],
  [undefined, "waiting", false],
  ["waiting", "user_paying", false],
  ["waiting", "unknown", false],
  ["waiting", "failed", false],
  ["waiting", "abnormal", false],
];

test.each(NEWS)("from %s to %s money arrives: %s", (before, stage, arrives) => {
  expect(isArrival(before, stage)).toBe(arrives);
});

test("a silent terminal does not ask for a voice", async () => {
  const { counter, desk } = await paidInCash();
  const order = desk.orders.current!;
  await vi.waitFor(() => expect(counter.announced).toEqual([order]));
  counter.announced.length = 0;
  const loud = { sound: true, voice: true, volume_percent: 100, language: "zh-CN" } as const;
  await announce(counter, { ...loud, sound: false }, order);
  await announce(counter, { ...loud, voice: false }, order);
  expect(counter.announced).toEqual([]);
  await announce(counter, loud, order);
  expect(counter.announced).toEqual([order]);
});
