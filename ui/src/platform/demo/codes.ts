import { isOutOfReach } from "../../app/reach";
import type { ChannelView } from "../../bindings/ChannelView";
import type { ChargeCode } from "../../bindings/ChargeCode";
import type { OfferCode } from "../../bindings/OfferCode";
import type { OrderView } from "../../bindings/OrderView";
import type { Scan } from "../../bindings/Scan";
import type { ScanReading } from "../../bindings/ScanReading";
import type { Stage } from "../../bindings/Stage";
import type { StartCode } from "../../bindings/StartCode";
import { plainFen } from "../../i18n/money";
import { type DemoBooks, orderOf, refusal } from "./handlers";
import { typedFen } from "./amount";
import { open, qrOf } from "./money";
import { AMOUNTS, PACKAGE } from "./pricing";

const CODES: [RegExp, ChannelView][] = [
  [/^1[0-5]\d{16}$/, "wechat"],
  [/^(2[5-9]|30)\d{14,22}$/, "alipay"],
  [/^62\d{17}$/, "unionpay"],
];

const recognised = (text: string): ChannelView | null =>
  CODES.find(([pattern]) => pattern.test(text))?.[1] ?? null;

export function readScan(_: DemoBooks, { text }: Scan): ScanReading {
  const offer = /^Q(MON:(?<yuan>[\d.]+)|BON:(?<id>.+))$/.exec(text)?.groups;
  if (offer?.["yuan"] !== undefined)
    return { kind: "offer", choice: { kind: "amount", fen: typedFen(offer["yuan"]) } };
  if (offer !== undefined) {
    const { id, version } = PACKAGE;
    return {
      kind: "offer",
      choice: offer["id"] === id ? { kind: "package", id, version } : null,
    };
  }
  if (text.startsWith("QT1:")) return { kind: "receipt" };
  const channel = recognised(text);
  if (channel === null && !/^\d{16,24}$/.test(text)) return { kind: "other" };
  return { kind: "payment_code", channel };
}

export function offerCodes(): OfferCode[] {
  const { id, name, pay_fen } = PACKAGE;
  const amounts = AMOUNTS.map((fen) => ({
    name: null,
    pay_fen: fen,
    qr: qrOf(`QMON:${plainFen(fen)}`),
  }));
  return [...amounts, { name, pay_fen, qr: qrOf(`QBON:${id}`) }];
}

export function startCode(books: DemoBooks, request: StartCode): OrderView {
  refuseUsed(books, request);
  const { order } = open(books, request);
  return charge(books, order, request);
}

const WHY_NOT: Partial<Record<Stage, string>> = {
  charging: "code_under_way",
  user_paying: "customer_is_paying",
  unknown: "code_while_unknown",
  reversing: "code_while_unknown",
  cancelling: "code_while_unknown",
  opening: "code_too_early",
  preparing: "code_too_early",
};

export function chargeCode(books: DemoBooks, request: ChargeCode): OrderView {
  const order = orderOf(books, request.order_id);
  if (order.stage !== "waiting" && order.stage !== "failed")
    throw refusal("wrong_state", WHY_NOT[order.stage] ?? "no_payment_waits");
  refuseUsed(books, request);
  return charge(books, order, request);
}

function refuseUsed(books: DemoBooks, { code, channel }: StartCode | ChargeCode): void {
  if (books.codes.has(code)) throw refusal("wrong_state", "code_used");
  if ((recognised(code) ?? channel) !== channel) throw refusal("wrong_state", "code_unknown");
  if (isOutOfReach(books.session.sync.state)) throw refusal("server_unreachable", "code_offline");
}

function charge(
  books: DemoBooks,
  order: OrderView,
  { channel, code }: StartCode | ChargeCode,
): OrderView {
  books.codes.add(code);
  return Object.assign(order, {
    ...{ channel, stage: "charging", by_code: true, qr: null, failure: null },
    ...{ attempt_started_ms: Date.now(), expires_at_ms: Date.now() + 45_000 },
  } satisfies Partial<OrderView>);
}
