import type { Stage } from "../bindings/Stage";

/** Money may still move or a person must still act: the cashier must be able to come back. */
const OPEN: readonly Stage[] = [
  "opening",
  "review",
  "preparing",
  "waiting",
  "user_paying",
  "unknown",
  "cancelling",
  "failed",
  "paid",
  "abnormal",
];

/** After these nothing changes any more; a late answer to an earlier question is ignored. */
const FINAL: readonly Stage[] = ["credited", "ended", "refused"];

export const isOpen = (stage: Stage) => OPEN.includes(stage);
export const isFinal = (stage: Stage) => FINAL.includes(stage);

export type Tone = "good" | "warn" | "bad" | "plain";

const TONE: Record<Stage, Tone> = {
  opening: "plain",
  review: "warn",
  preparing: "plain",
  waiting: "plain",
  user_paying: "plain",
  unknown: "warn",
  cancelling: "warn",
  failed: "bad",
  refused: "bad",
  paid: "warn",
  credited: "good",
  ended: "plain",
  abnormal: "bad",
};

export const toneOf = (stage: Stage) => TONE[stage];
