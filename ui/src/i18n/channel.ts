import type { ChannelView } from "../bindings/ChannelView";
import type { PartsView } from "../bindings/PartsView";
import { t } from "./index.svelte";
import { money } from "./money";

/** A method by name; a dash before anybody was asked for money. */
export const channelName = (channel: ChannelView | null): string =>
  channel === null ? "—" : t(`channel.${channel}`);

type Paid = { channel: ChannelView | null; parts: PartsView | null };

/** The methods of an order by name: one, or both of a split; with a mark where nobody verified it. */
export const methodName = ({ channel, parts }: Paid): string =>
  channel === "shop_code"
    ? t("shop_code.unverified")
    : parts === null
      ? channelName(channel)
      : t("split.method", { channel: channelName(channel) });

/** Both parts of a split with their amounts. */
export const partsText = (
  channel: ChannelView | null,
  { other_fen, cash_fen }: PartsView,
): string =>
  t("split.parts", {
    channel: channelName(channel),
    other: money(other_fen),
    cash: money(cash_fen),
  });
