import type { ChannelView } from "../../bindings/ChannelView";

/** One letter per method, the same in both languages: the cashier's hand learns it once. */
export const CHANNEL_KEYS: Record<ChannelView, string> = {
  wechat: "W",
  alipay: "A",
  unionpay: "U",
  ecny: "E",
  card: "K",
  cash: "C",
  transfer: "T",
};
