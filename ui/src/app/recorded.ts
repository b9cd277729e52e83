import type { ChannelView } from "../bindings/ChannelView";

/** Keyed in on the form once the bank has the money. */
export type KeyedChannel = Extract<ChannelView, "card" | "transfer">;

/** Asked of a gateway, by a code of ours or the customer's. */
export type AskedChannel = Extract<ChannelView, "wechat" | "alipay" | "unionpay" | "ecny">;

/** Taken outside any gateway, and recorded with a reference. */
export type RecordedChannel = KeyedChannel | "shop_code";

export const isKeyed = (channel: ChannelView | null): channel is KeyedChannel =>
  channel === "card" || channel === "transfer";

/** The shop's code among them: it is scanned first, on a screen of its own. */
export const isRecorded = (channel: ChannelView | null): channel is RecordedChannel =>
  isKeyed(channel) || channel === "shop_code";

export const isAsked = (channel: ChannelView | null): channel is AskedChannel =>
  channel !== null && channel !== "cash" && !isRecorded(channel);

/** A part of it may be cash. The shop's code asks for the whole. */
export const takesPart = (channel: ChannelView | null): boolean =>
  isKeyed(channel) || isAsked(channel);
