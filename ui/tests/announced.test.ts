import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import type { OrderView } from "../src/bindings/OrderView";
import type { Stage } from "../src/bindings/Stage";
import { serving } from "./window";

/** Each stage of a payment, in an order in which they may come, and what a screen reader says. */
const SAID: [Stage, string][] = [
  ["opening", "正在为 张伟 开单"],
  ["review", "张伟 的充值须先审核，今天不能在这里办理，没有收款"],
  ["preparing", "正在出码"],
  ["waiting", "等待 张伟 付款 ¥300.00"],
  ["charging", "正在用付款码向 张伟 扣款 ¥300.00"],
  ["user_paying", "支付中"],
  ["unknown", "张伟 的 ¥300.00 正在核实，请勿重复收款"],
  ["reversing", "正在撤销 张伟 的 ¥300.00，请勿重复收款"],
  ["failed", "张伟 的 ¥300.00 付款未成功，没有收到款"],
  ["cancelling", "正在取消 张伟 的收款"],
  ["ended", "张伟 的 ¥300.00 已结束，没有收款"],
  ["paid", "张伟 的 ¥300.00 已收到，入账待处理"],
  ["refused", "张伟 的充值未能开单，没有收款"],
  ["abnormal", "张伟 的 ¥300.00 异常，已转人工处理"],
  ["credited", "张伟 的 ¥300.00 已到账"],
];
/** Fails to compile where a stage has no row. */
const EVERY: Record<Stage, true> = {
  ...{ opening: true, review: true, preparing: true, waiting: true, charging: true },
  ...{ user_paying: true, unknown: true, reversing: true, failed: true, cancelling: true },
  ...{ ended: true, paid: true, refused: true, abnormal: true, credited: true },
};

/** All that the assertive live region has said, in order. */
async function listening() {
  const window = await serving();
  const { counter, user, screen } = window;
  await user.keyboard("1w{Enter}");
  await screen.findByRole("img", { name: /收款码/ });
  const regions = document.querySelectorAll("[aria-live=assertive]");
  expect(regions.length).toBe(1);
  const region = regions[0]!;
  const heard: string[] = [];
  const listener = new MutationObserver(() => heard.push(region.textContent));
  listener.observe(region, { childList: true, characterData: true, subtree: true });
  const order = counter.books.orders[0]!;
  const move = (change: Partial<OrderView>) => {
    Object.assign(order, { qr: null, ...change });
    counter.emit({ kind: "order", order });
  };
  return { ...window, region, heard, move };
}

test("every stage of a payment is said, once and in order", async () => {
  expect(SAID.map(([stage]) => stage).sort()).toEqual(Object.keys(EVERY).sort());
  const { heard, move, region } = await listening();
  for (const [stage, words] of SAID) {
    move({ stage });
    await waitFor(() => expect(region.textContent).toBe(words));
    // Other news of the same stage is no news for the ear.
    move({ stage, expires_at_ms: 1 });
  }
  await new Promise((soon) => setTimeout(soon, 20));
  expect(heard).toEqual(SAID.map(([, words]) => words));
});

test("what is said again after something else is said again", async () => {
  const { heard, move, region } = await listening();
  const failed = "张伟 的 ¥300.00 付款未成功，没有收到款";
  for (const stage of ["failed", "charging", "failed"] as const) {
    move({ stage });
    await waitFor(() => expect(region.textContent).toMatch(stage === "failed" ? failed : /扣款/));
  }
  expect(heard).toEqual([failed, "正在用付款码向 张伟 扣款 ¥300.00", failed]);
});

test("money that stands on this terminal's word only is said as that", async () => {
  const { move, region } = await listening();
  move({ stage: "credited", provisional: true });
  await waitFor(() => expect(region.textContent).toMatch(/张伟/));
  expect(region.textContent).not.toBe("张伟 的 ¥300.00 已到账");
});
