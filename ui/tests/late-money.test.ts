import { waitFor } from "@testing-library/dom";
import { beforeEach, expect, test, vi } from "vitest";

import type { OrderView } from "../src/bindings/OrderView";
import type { Stage } from "../src/bindings/Stage";
import { play } from "../src/app/sound";
import { openWindow } from "./window";

vi.mock(import("../src/app/sound"), async (importOriginal) => ({
  ...(await importOriginal()),
  play: vi.fn(),
}));

beforeEach(() => vi.mocked(play).mockClear());

/** The counter at rest with one order of 尉迟敏 that is over. */
async function over(stage: Stage) {
  const window = await openWindow("unknown_elsewhere");
  const { counter, desk, screen } = window;
  const order = counter.books.orders[0]!;
  order.stage = stage;
  await desk.orders.refresh();
  const move = (change: Partial<OrderView>) => {
    Object.assign(order, change);
    counter.emit({ kind: "order", order });
  };
  const notices = () => screen.getByRole("log").textContent;
  return { ...window, order, move, notices };
}

const LATE: [Stage, Stage, string, string, string][] = [
  ["ended", "abnormal", "failure", "尉迟敏 的 ¥300.00 异常，已转人工处理", "异常"],
  ["ended", "paid", "checking", "尉迟敏 的 ¥300.00 已收到，入账待处理", "待入账"],
  ["ended", "unknown", "checking", "尉迟敏 的 ¥300.00 正在核实，请勿重复收款", "核实中"],
  ["ended", "waiting", "checking", "等待 尉迟敏 付款 ¥300.00", "待付款"],
  ["refused", "abnormal", "failure", "尉迟敏 的 ¥300.00 异常，已转人工处理", "异常"],
  ["credited", "abnormal", "failure", "尉迟敏 的 ¥300.00 异常，已转人工处理", "异常"],
  ["credited", "paid", "checking", "尉迟敏 的 ¥300.00 已收到，入账待处理", "待入账"],
];

test.each(LATE)("%s, then %s: sounded, told and listed", async (before, after, ...told) => {
  const [sound, sentence, badge] = told;
  const { screen, move, notices } = await over(before);
  expect(screen.queryByRole("region", { name: "未完成的订单" })).toBeNull();
  move({ stage: after });
  await waitFor(() => expect(notices()).toContain(sentence));
  expect(vi.mocked(play).mock.calls).toEqual([[sound, 1]]);
  const open = await screen.findByRole("region", { name: "未完成的订单" });
  expect(open.textContent).toContain(badge);
});

test("money credited after the end is told and sounded", async () => {
  const { move, notices } = await over("ended");
  move({ stage: "credited" });
  await waitFor(() => expect(notices()).toContain("尉迟敏 的 ¥300.00 已到账"));
  expect(vi.mocked(play).mock.calls).toEqual([["success", 1]]);
});

const EARLIER: [Stage, Stage][] = [
  ["ended", "cancelling"],
  ["ended", "user_paying"],
  ["refused", "opening"],
  ["credited", "waiting"],
  ["credited", "unknown"],
];

test.each(EARLIER)("%s is not taken back by an earlier %s", async (stage, earlier) => {
  const { desk, order, move } = await over(stage);
  move({ stage: earlier });
  await Promise.resolve();
  expect(desk.orders.list.find(({ id }) => id === order.id)?.stage).toBe(stage);
  expect(play).not.toHaveBeenCalled();
});

test("late money for the order on the screen takes its place there", async () => {
  const { screen, desk, order, move } = await over("ended");
  await desk.openOrder(order.id);
  await screen.findByText("本单已结束，没有收款");
  move({ stage: "abnormal" });
  expect(await screen.findByText("请勿交付，也请勿再次收款。", { exact: false })).toBeTruthy();
  expect(vi.mocked(play).mock.calls).toContainEqual(["failure", 1]);
});

const QUESTIONS = ["order", "orders"] as const;

test.each(QUESTIONS)("an answer to %s from before the end changes nothing", async (name) => {
  const { counter, desk, order, move } = await over("unknown");
  const answer = counter.hold(name);
  const asked =
    name === "order" ? desk.openOrder(order.id) : desk.attempt(() => desk.orders.refresh());
  move({ stage: "ended" });
  await Promise.resolve();
  // What the counter answers was true when it was asked.
  order.stage = "unknown";
  answer();
  await asked;
  expect(desk.orders.list.find(({ id }) => id === order.id)?.stage).toBe("ended");
});

test("looking again after missed events does not bring back what was over", async () => {
  const { counter, desk, order, move } = await over("waiting");
  await desk.openOrder(order.id);
  const answer = counter.hold("order");
  counter.emit({ kind: "boot" });
  await waitFor(() => expect(counter.times("order")).toBe(2));
  move({ stage: "ended" });
  order.stage = "waiting";
  answer();
  await waitFor(() => expect(counter.times("member")).toBeGreaterThan(1));
  expect(desk.orders.current?.stage).toBe("ended");
});
