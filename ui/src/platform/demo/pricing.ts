import { isOutOfReach } from "../../app/reach";
import { isRecorded } from "../../app/recorded";
import type { ChannelOffer } from "../../bindings/ChannelOffer";
import type { ChannelView } from "../../bindings/ChannelView";
import type { Offer } from "../../bindings/Offer";
import type { QuoteRequest } from "../../bindings/QuoteRequest";
import type { QuoteView } from "../../bindings/QuoteView";
import type { TopUpForm } from "../../bindings/TopUpForm";
import { partsOf, typedFen } from "./amount";
import { type DemoBooks, memberOf } from "./handlers";

const LADDER = [
  [500_000, 175_000],
  [300_000, 90_000],
  [200_000, 52_000],
  [100_000, 23_000],
  [50_000, 10_000],
  [30_000, 5_000],
] as const;
export const PACKAGE = {
  id: "p1",
  version: 3,
  pay_fen: 68_000,
  bonus_fen: 20_000,
  name: "护发季卡",
};

export const AMOUNTS = [30_000, 50_000, 100_000, 200_000, 300_000, 500_000] as const;

const ladderBonus = (pay: number) => LADDER.find(([from]) => from <= pay)?.[1] ?? 0;

export function topUpForm(books: DemoBooks, memberId: string): TopUpForm {
  const { available_fen, recent } = memberOf(books, memberId);
  books.last += 1;
  const plain = AMOUNTS.map((fen): Offer => ({
    choice: { kind: "amount", fen },
    name: null,
    pay_fen: fen,
    bonus_fen: ladderBonus(fen),
    most_favourable: fen === 500_000,
    blocked: null,
    blocked_in_cash: null,
  }));
  const { id, version, name, pay_fen, bonus_fen } = PACKAGE;
  const offline = isOutOfReach(books.session.sync.state);
  const offers: Offer[] = [
    ...plain,
    ...[{ choice: { kind: "package", id, version } as const, name, pay_fen, bonus_fen }].map(
      (offer) => ({ ...offer, most_favourable: false, blocked: null, blocked_in_cash: null }),
    ),
  ];
  const low = available_fen < books.session.settings.low_balance_fen;
  const again = offers.find((offer) => offer.pay_fen === recent[0]?.pay_fen) ?? offers[0];
  return {
    intent: `intent-${books.last}`,
    offers,
    suggested: low ? (again?.choice ?? null) : null,
    custom: true,
    channels: offline ? books.channels.map(withoutServer) : methods(books),
  };
}

function withoutServer(channel: ChannelView): ChannelOffer {
  const offer = { channel, available: true, reason: null, down_since_ms: null };
  if (channel === "cash") return offer;
  if (isRecorded(channel)) return { ...offer, reason: "top_up.needs_manager" };
  return { ...offer, available: false, reason: "error.server_unreachable" };
}

function methods({ channels, down }: DemoBooks): ChannelOffer[] {
  const offers = channels.map((channel): ChannelOffer => {
    const since = down.get(channel) ?? null;
    const reason = since === null ? null : "top_up.channel_down";
    return { channel, available: since === null, reason, down_since_ms: since };
  });
  return [...offers.filter((offer) => offer.available), ...offers.filter((o) => !o.available)];
}

export function priceOf(books: DemoBooks, request: QuoteRequest): QuoteView {
  const member = memberOf(books, request.member_id);
  const { choice } = request;
  const pay =
    choice.kind === "amount"
      ? choice.fen
      : choice.kind === "typed"
        ? typedFen(choice.text)
        : PACKAGE.pay_fen;
  const bonus = choice.kind === "package" ? PACKAGE.bonus_fen : ladderBonus(pay);
  const missing = member.next_tier?.missing_fen ?? Infinity;
  const upgrade = pay >= missing;
  const principal = member.principal_fen + pay;
  const blocked = pay > 500_000;
  books.last += 1;
  const quote: QuoteView = {
    quote_id: `q${books.last}`,
    pay_fen: pay,
    parts: partsOf(request.cash_part, pay),
    bonus_fen: bonus,
    bonus_expires_ms: bonus > 0 ? Date.now() + 365 * 86_400_000 : null,
    balance_after_fen: member.available_fen + pay + bonus,
    principal_after_fen: principal,
    bonus_after_fen: member.bonus_fen + bonus,
    points: Number(String(pay).slice(0, -2)),
    coupons: pay >= 100_000 ? [["烫染 8 折券", 2]] : [],
    tier_before: member.tier,
    tier_after: upgrade ? (member.next_tier?.name ?? member.tier) : member.tier,
    upgrade,
    reasons: bonus > 0 ? [choice.kind === "package" ? PACKAGE.name : "秋季阶梯"] : [],
    notices: blocked
      ? [
          {
            message_key: "limit.outstanding_principal",
            limit_fen: 500_000,
            reached_fen: principal,
            blocks: true,
            reviews: false,
          },
        ]
      : [],
    blocked,
    duplicate_of: null,
    unsettled: null,
    valid_until_ms: Date.now() + 900_000,
  };
  books.quotes.set(quote.quote_id, { request, quote });
  return quote;
}
