import type { BookedPrice } from "../../bindings/BookedPrice";
import type { PriceCover } from "../../bindings/PriceCover";
import { typedFen } from "./amount";
import { type DemoBooks, memberOf } from "./handlers";
import { topUpForm } from "./pricing";

/** As the counter answers: the cheapest offer that is enough, or else what is lacking. */
export function coverPrice(books: DemoBooks, { member_id, price }: BookedPrice): PriceCover {
  const price_fen = typedFen(price);
  const { available_fen } = memberOf(books, member_id);
  const lacks_fen = Math.max(price_fen - available_fen, 0);
  const left_fen = Math.max(available_fen - price_fen, 0);
  if (lacks_fen === 0) return { price_fen, lacks_fen, left_fen, top_up: null };
  const [offer] = topUpForm(books, member_id)
    .offers.filter(({ pay_fen, bonus_fen }) => pay_fen + bonus_fen >= lacks_fen)
    .sort((one, other) => one.pay_fen - other.pay_fen);
  if (offer !== undefined) {
    const { choice, pay_fen } = offer;
    return { price_fen, lacks_fen, left_fen, top_up: { choice, pay_fen } };
  }
  const yuan = Math.ceil(lacks_fen / 100);
  const typed = { kind: "typed", text: String(yuan) } as const;
  return { price_fen, lacks_fen, left_fen, top_up: { choice: typed, pay_fen: yuan * 100 } };
}
