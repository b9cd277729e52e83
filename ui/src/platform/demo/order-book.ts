import type { OrderFilter } from "../../bindings/OrderFilter";
import type { OrderGroup } from "../../bindings/OrderGroup";
import type { OrderKey } from "../../bindings/OrderKey";
import type { OrderList } from "../../bindings/OrderList";
import type { OrderPage } from "../../bindings/OrderPage";
import type { OrderView } from "../../bindings/OrderView";
import type { PostingView } from "../../bindings/PostingView";
import type { Stage } from "../../bindings/Stage";
import { type DemoBooks, memberOf, orderOf, refusal } from "./handlers";

const DAY = 86_400_000;
const GROUPS: Partial<Record<Stage, OrderGroup>> = {
  credited: "credited",
  ended: "unpaid",
  refused: "unpaid",
  paid: "trouble",
  abnormal: "trouble",
};

function daysBack({ period, from, to }: OrderFilter): number {
  for (const [field, text] of Object.entries({ from, to }))
    if (period === "days" && text !== "" && !/^\d{4}-\d\d-\d\d$/.test(text))
      throw refusal("invalid_input", "day_wrong", { field });
  return { today: 1, yesterday: 2, week: 7, days: 400 }[period];
}

/** Orders that fit, newest first; days are counted from now. */
export function findOrders(books: DemoBooks, filter: OrderFilter): OrderList {
  const { group, channel, cashier_id, text } = filter;
  const since = Date.now() - daysBack(filter) * DAY;
  const fits = (order: OrderView) =>
    order.opened_at_ms >= since &&
    (group === null || (GROUPS[order.stage] ?? "open") === group) &&
    (channel === null || order.channel === channel) &&
    (cashier_id === null || cashier_id === "s1") &&
    (order.order_no.includes(text.toUpperCase()) || order.member.includes(text));
  const found = books.orders.filter(fits).sort((a, b) => b.opened_at_ms - a.opened_at_ms);
  const credited = found.filter(({ stage }) => stage === "credited");
  const sum = (of: (order: OrderView) => number) =>
    credited.reduce((total, order) => total + of(order), 0);
  return {
    lines: found.map((order) => ({ order, cashier: "陈静" })),
    count: found.length,
    credited: credited.length,
    paid_fen: sum(({ pay_fen }) => pay_fen),
    bonus_fen: sum(({ bonus_fen }) => bonus_fen),
    cut: false,
    today_left_ms: books.todayLeftMs,
  };
}

export function orderPage(books: DemoBooks, { order_id }: OrderKey): OrderPage {
  const order = orderOf(books, order_id);
  const { available_fen } = memberOf(books, order.member_id);
  const { channel, pay_fen, bonus_fen } = order;
  const paid = order.stage === "credited" && channel !== null;
  const postings: PostingView[] = paid
    ? [
        { kind: "received", channel, amount_fen: pay_fen },
        {
          kind: "principal",
          amount_fen: pay_fen,
          before_fen: available_fen,
          after_fen: available_fen + pay_fen,
        },
        { kind: "points", count: 360 },
      ]
    : [];
  return {
    order,
    cashier: "陈静",
    seller: null,
    offline: order.provisional,
    policy_version: 3,
    quoted_at_ms: order.opened_at_ms,
    rules: [
      {
        kind_key: "rule.ladder",
        name: "秋季阶梯",
        verdict_key: bonus_fen > 0 ? "verdict.matched" : "verdict.below_threshold",
        counted: bonus_fen > 0,
        bonus_fen,
      },
    ],
    limits: [],
    attempts:
      channel === null || channel === "cash"
        ? []
        : [
            {
              attempt_no: `ZF${order.order_no.slice(2)}`,
              channel,
              method_key: "attempt.qr",
              state_key: paid ? "attempt_state.succeeded" : "attempt_state.closed",
              decline_key: null,
              amount_fen: pay_fen,
              started_at_ms: order.opened_at_ms,
              paid_at_ms: paid ? order.opened_at_ms + 9_000 : null,
              channel_txn_no: paid ? "4200001122" : null,
            },
          ],
    operations: [],
    postings,
  };
}
