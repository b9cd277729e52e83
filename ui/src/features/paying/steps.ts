import type { OrderView } from "../../bindings/OrderView";
import type { Stage } from "../../bindings/Stage";
import type { MessageKey } from "../../i18n/index.svelte";

export type Step = {
  key: MessageKey;
  mark: "done" | "now" | "doubt" | "stopped" | "next";
  at: number | null;
};

type Row = [MessageKey, Step["mark"]];

const OPENED: Row = ["step.opened", "done"];
const CODE: Row = ["step.code", "done"];
const PAID: Row = ["step.paid", "next"];

/** The way of an order, in the words of the cashier. 支付中 only when the channel says so. */
const ROWS: Record<Stage, Row[]> = {
  opening: [["step.opening", "now"], ["step.code", "next"], PAID],
  review: [OPENED, ["step.review", "stopped"]],
  preparing: [OPENED, ["step.preparing", "now"], PAID],
  charging: [OPENED, CODE, ["step.charging", "now"], PAID],
  waiting: [OPENED, CODE, ["step.waiting", "now"], PAID],
  user_paying: [OPENED, CODE, ["step.user_paying", "now"], PAID],
  unknown: [OPENED, CODE, ["step.unknown", "doubt"], PAID],
  reversing: [OPENED, CODE, ["step.reversing", "doubt"]],
  cancelling: [OPENED, ["step.cancelling", "doubt"]],
  failed: [OPENED, ["step.failed", "stopped"]],
  refused: [["step.refused", "stopped"]],
  paid: [OPENED, ["step.paid", "done"], ["step.credit_waits", "doubt"]],
  credited: [OPENED, ["step.paid", "done"]],
  ended: [OPENED, ["step.ended", "stopped"]],
  abnormal: [OPENED, ["step.abnormal", "stopped"]],
};

export function stepsOf(order: OrderView, stage: Stage): Step[] {
  const times: Partial<Record<MessageKey, number | null>> = {
    "step.opened": order.opened_at_ms,
    "step.code": order.attempt_started_ms,
  };
  // An attempt may come to nothing before its code is out: only the code itself proves it.
  const rows = ROWS[stage].filter((row) => row !== CODE || order.had_code);
  return rows.map(([key, mark]) => ({
    key,
    mark,
    at: mark === "done" ? (times[key] ?? null) : null,
  }));
}
