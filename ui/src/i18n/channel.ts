import type { ChannelView } from "../bindings/ChannelView";
import { t } from "./index.svelte";

/** A method by name; a dash before anybody was asked for money. */
export const channelName = (channel: ChannelView | null): string =>
  channel === null ? "—" : t(`channel.${channel}`);
