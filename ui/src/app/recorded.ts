import type { ChannelView } from "../bindings/ChannelView";

/** Taken outside any gateway, and recorded with the bank's reference. */
export type RecordedChannel = Extract<ChannelView, "card" | "transfer">;

export const isRecorded = (channel: ChannelView | null): channel is RecordedChannel =>
  channel === "card" || channel === "transfer";
