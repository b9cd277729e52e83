import type { ChannelView } from "../bindings/ChannelView";
import type { OrderView } from "../bindings/OrderView";
import type { Stage } from "../bindings/Stage";
import type { MessageKey } from "../i18n/index.svelte";

/** Money may still move or a person must still act: the cashier must be able to come back. */
const OPEN: readonly Stage[] = [
  "opening",
  "review",
  "preparing",
  "waiting",
  "charging",
  "user_paying",
  "unknown",
  "reversing",
  "cancelling",
  "failed",
  "paid",
  "abnormal",
];

const FINAL: readonly Stage[] = ["credited", "ended", "refused"];

/**
 * What may follow a final stage: late money, or another judgement of the server on what this
 * terminal booked. Every other stage there is an earlier look that arrives late.
 */
const LATE: Partial<Record<Stage, readonly Stage[]>> = {
  credited: ["paid", "abnormal"],
  ended: ["waiting", "unknown", "paid", "abnormal"],
  refused: ["waiting", "unknown", "paid", "abnormal"],
};

/** Cash that is not credited has its slip too: the customer leaves with paper. */
export const hasSlip = ({ stage, channel }: { stage: Stage; channel: ChannelView | null }) =>
  stage === "credited" || (channel === "cash" && (stage === "paid" || stage === "abnormal"));

export const isOpen = (stage: Stage) => OPEN.includes(stage);
export const isFinal = (stage: Stage) => FINAL.includes(stage);

/** Unpaid because it was reversed: what the customer paid goes back. */
export const wasReturned = ({ stage, failure }: OrderView) =>
  stage === "failed" && failure?.message_key === "decline.reversed_and_returned";

/** Why a payment code cannot be charged for an order that is here; null where it can. */
export function whyNoCode({ stage, by_code }: OrderView): MessageKey | null {
  switch (stage) {
    case "failed":
      return null;
    case "waiting":
      return by_code ? "error.code_under_way" : null;
    case "charging":
      return "error.code_under_way";
    case "user_paying":
      return "error.customer_is_paying";
    case "opening":
    case "preparing":
      return "error.code_too_early";
    case "unknown":
    case "reversing":
    case "cancelling":
      return "error.code_while_unknown";
    default:
      return "error.no_payment_waits";
  }
}

export function mayFollow(before: Stage, stage: Stage): boolean {
  return isFinal(stage) || (LATE[before]?.includes(stage) ?? true);
}

export type Tone = "good" | "warn" | "bad" | "plain";

const TONE: Record<Stage, Tone> = {
  opening: "plain",
  review: "warn",
  preparing: "plain",
  waiting: "plain",
  charging: "plain",
  user_paying: "plain",
  unknown: "warn",
  reversing: "warn",
  cancelling: "warn",
  failed: "bad",
  refused: "bad",
  paid: "warn",
  credited: "good",
  ended: "plain",
  abnormal: "bad",
};

export const toneOf = (stage: Stage) => TONE[stage];
