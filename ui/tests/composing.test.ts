import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { openWindow } from "./window";

/** Keys of an input method: while it composes, and the last one, which WebKit says is over already. */
const COMPOSING: [string, KeyboardEventInit][] = [
  ["composing", { isComposing: true }],
  ["just composed", { keyCode: 229 }],
];
const aMoment = () => new Promise((then) => setTimeout(then, 30));

function press(key: string, init: KeyboardEventInit) {
  const target = document.activeElement ?? document.body;
  const event = { key, code: key, bubbles: true, cancelable: true, ...init };
  target.dispatchEvent(new KeyboardEvent("keydown", event));
}

test.each(COMPOSING)("in the search box Enter and Esc that are %s do nothing", async (_, init) => {
  const { user, screen, desk } = await openWindow("counter");
  const search = await screen.findByRole("combobox", { name: "查找会员" });
  await user.type(search, "zw");
  await screen.findByRole("option", { name: /张伟/ });
  press("Enter", init);
  press("Escape", init);
  await aMoment();
  expect(search).toHaveProperty("value", "zw");
  expect(document.activeElement).toBe(search);
  expect(desk.topUp.member).toBeNull();
  press("Enter", {});
  await waitFor(() => expect(desk.topUp.member?.name).toBe("张伟"));
});

test.each(COMPOSING)("in the command bar Enter and Esc that are %s do nothing", async (_, init) => {
  const { user, screen, desk, counter } = await openWindow("counter");
  await screen.findByRole("combobox", { name: "查找会员" });
  await user.keyboard("{Control>}k{/Control}");
  const line = await screen.findByRole("combobox", { name: /说清给谁/ });
  await waitFor(() => expect(document.activeElement).toBe(line));
  await user.type(line, "张伟 充 300 微信");
  await screen.findByText(/给 张伟 充值/);
  press("Enter", init);
  press("Escape", init);
  await aMoment();
  expect([desk.commanding, counter.times("top_up_form")]).toEqual([true, 0]);
  press("Escape", {});
  await waitFor(() => expect(desk.commanding).toBe(false));
});

test.each(COMPOSING)("in a new member Enter and Esc that are %s do nothing", async (_, init) => {
  const { user, screen, desk, counter } = await openWindow("counter");
  await screen.findByRole("combobox", { name: "查找会员" });
  desk.registering = { typed: "13800001111" };
  const name = await screen.findByRole("textbox", { name: "姓名" });
  await user.type(name, "赵敏");
  press("Enter", init);
  press("Escape", init);
  await aMoment();
  expect([desk.registering !== null, counter.times("create_member")]).toEqual([true, 0]);
  press("Enter", {});
  await screen.findByText(/已登记 赵敏/);
});

let started = 10_000;

/** What a scanner types into an input method that composes. */
function compose(keys: number, paceMs: number) {
  started += 10_000;
  for (let place = 0; place < keys; place++) {
    const event = new KeyboardEvent("keydown", {
      ...{ key: "Process", code: "KeyV", keyCode: 229, isComposing: true, bubbles: true },
    });
    Object.defineProperty(event, "timeStamp", { value: started + place * paceMs });
    (document.activeElement ?? document.body).dispatchEvent(event);
  }
}

const told = () =>
  document.querySelector("[role=log]")?.textContent.match(/扫码时请切到英文输入/g)?.length ?? 0;

test("a scan into an input method is told once, a hand's keys are not", async () => {
  const { screen, desk } = await openWindow("counter");
  (await screen.findByRole("combobox", { name: "查找会员" })).focus();
  compose(5, 10);
  compose(20, 60);
  await aMoment();
  expect(told()).toBe(0);
  let tellings = 0;
  const { tell } = desk.notices;
  desk.notices.tell = (...what) => {
    tellings += 1;
    tell.apply(desk.notices, what);
  };
  compose(20, 35);
  await waitFor(() => expect(told()).toBe(1));
  expect(tellings).toBe(1);
});

test("after a registration that was given up the search box has the keyboard", async () => {
  const { user, screen, desk } = await openWindow("counter");
  const search = await screen.findByRole("combobox", { name: "查找会员" });
  await user.type(search, "13800001111");
  await screen.findByText(/没有找到/);
  await user.keyboard("{Enter}");
  const dialog = await screen.findByRole("dialog", { name: "新建会员" });
  desk.registering = null;
  await waitFor(() => expect(dialog.isConnected).toBe(false));
  await waitFor(() => expect(document.activeElement).toBe(search));
});
