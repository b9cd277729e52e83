import type { ChannelView } from "../bindings/ChannelView";

/** Keyed in on the form once the bank has the money. */
export type KeyedChannel = Extract<ChannelView, "card" | "transfer">;

/** Taken outside any gateway, and recorded with a reference. */
export type RecordedChannel = KeyedChannel | "shop_code";

export const isKeyed = (channel: ChannelView | null): channel is KeyedChannel =>
  channel === "card" || channel === "transfer";

/** The shop's code among them: it is scanned first, on a screen of its own. */
export const isRecorded = (channel: ChannelView | null): channel is RecordedChannel =>
  isKeyed(channel) || channel === "shop_code";
