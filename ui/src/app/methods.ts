import type { ChannelOffer } from "../bindings/ChannelOffer";
import type { TopUpForm } from "../bindings/TopUpForm";
import { currentLanguage, t } from "../i18n/index.svelte";
import { channelName } from "../i18n/channel";
import { clock } from "../i18n/time";

const DOWN = "top_up.channel_down";

/** The gateway of this method fails; the server tries it until it is back. */
export const isFailing = (offer: ChannelOffer | undefined) => offer?.reason === DOWN;

/** What fails since when, and what to take in its place; one sentence for each time. */
export function downWords({ channels }: TopUpForm): string[] {
  const since = new Map<number, ChannelOffer[]>();
  for (const offer of channels.filter(isFailing)) {
    const at = offer.down_since_ms ?? 0;
    since.set(at, [...(since.get(at) ?? []), offer]);
  }
  const instead = channels.filter(({ available, reason }) => available && reason === null);
  return [...since].map(([at, failing]) => {
    const said = { channels: names("conjunction", failing), since: clock(at) };
    return instead.length === 0
      ? t("top_up.down_alone", said)
      : t("top_up.down", { ...said, instead: names("disjunction", instead.slice(0, 2)) });
  });
}

const names = (type: Intl.ListFormatType, offers: ChannelOffer[]) =>
  new Intl.ListFormat(currentLanguage(), { type, style: "long" }).format(
    offers.map(({ channel }) => channelName(channel)),
  );
