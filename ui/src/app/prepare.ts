import type { CommandChoice } from "../bindings/CommandChoice";
import { t, type Sentence } from "../i18n/index.svelte";
import { money, plainFen } from "../i18n/money";
import type { TopUp } from "./top-up.svelte";

/**
 * Fills the ordinary form with what was understood; the cashier looks and charges as always.
 * Returns what could not be filled in, in words.
 */
export function prepare(topUp: TopUp, wish: Omit<CommandChoice, "member">): Sentence | null {
  const { pay_fen, channel } = wish;
  topUp.rest();
  let left: Sentence | null = null;
  if (channel !== null) {
    const known = topUp.form?.channels.some((offer) => offer.channel === channel) ?? false;
    if (known) topUp.payBy(channel);
    else left = () => t("command.channel_not_taken", { channel: t(`channel.${channel}`) });
  }
  if (pay_fen === null) return left;
  const same = topUp.form?.offers.filter((offer) => offer.pay_fen === pay_fen) ?? [];
  const [offer, other] = same;
  if (offer !== undefined && other === undefined) topUp.choose(offer.choice);
  else if (other !== undefined)
    left ??= () => t("command.several_offers", { amount: money(pay_fen) });
  else if (topUp.form?.custom === true) topUp.type(plainFen(pay_fen));
  else left ??= () => t("command.not_on_sale", { amount: money(pay_fen) });
  return left;
}
