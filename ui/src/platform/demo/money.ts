import { encode } from "uqr";

import { isOutOfReach } from "../../app/reach";
import { isAsked } from "../../app/recorded";
import type { OrderKey } from "../../bindings/OrderKey";
import type { OrderView } from "../../bindings/OrderView";
import type { PayCash } from "../../bindings/PayCash";
import type { PayRecorded } from "../../bindings/PayRecorded";
import type { PrintCopy } from "../../bindings/PrintCopy";
import type { PrintJobView } from "../../bindings/PrintJobView";
import type { QrView } from "../../bindings/QrView";
import type { QuoteView } from "../../bindings/QuoteView";
import type { RetryPayment } from "../../bindings/RetryPayment";
import type { ShowShopCode } from "../../bindings/ShowShopCode";
import type { StartCode } from "../../bindings/StartCode";
import type { StartQr } from "../../bindings/StartQr";
import { readTendered } from "../../i18n/money";
import { pastOrder } from "./books";
import { checkManager } from "./drawer";
import { type DemoBooks, type Emit, memberOf, orderOf, refusal } from "./handlers";

export function qrOf(payload: string): QrView {
  const { size, data } = encode(payload, { border: 4, ecc: "M" });
  let path = "";
  for (const [y, row] of data.entries())
    for (const [x, dark] of row.entries()) if (dark) path += `M${x} ${y}h1v1h-1z`;
  return { modules: size, path, payload };
}

export function open(
  books: DemoBooks,
  request: PayCash | PayRecorded | ShowShopCode | StartQr | StartCode,
): { order: OrderView; quote: QuoteView } {
  const known = books.quotes.get(request.quote_id);
  if (known === undefined) throw refusal("quote_changed", "quote_stale");
  const earlier = books.intents.get(request.intent);
  if (earlier !== undefined) return { order: orderOf(books, earlier), quote: known.quote };
  const order = pastOrder(books, known.request.member_id, 0, {
    channel: known.request.channel,
    pay_fen: known.quote.pay_fen,
    parts: known.quote.parts,
    loose_cash: known.quote.parts !== null && isAsked(known.request.channel) ? "keep" : null,
    bonus_fen: known.quote.bonus_fen,
    stage: "opening",
  });
  books.intents.set(request.intent, order.id);
  return { order, quote: known.quote };
}

export function credit(books: DemoBooks, order: OrderView, quote: QuoteView): void {
  const member = memberOf(books, order.member_id);
  order.stage = "credited";
  order.qr = null;
  order.credit = {
    balance_before_fen: member.available_fen,
    balance_after_fen: quote.balance_after_fen,
    principal_after_fen: quote.principal_after_fen,
    bonus_after_fen: quote.bonus_after_fen,
    points: quote.points,
    coupons: quote.coupons,
    tier_before: quote.tier_before,
    tier_after: quote.tier_after,
    credited_at_ms: Date.now(),
  };
  order.loose_cash = null;
  member.available_fen = quote.balance_after_fen;
  member.principal_fen = quote.principal_after_fen;
  member.bonus_fen = quote.bonus_after_fen;
  member.tier = quote.tier_after;
  print(books, order, 0);
}

function print(books: DemoBooks, order: OrderView, copy: number): PrintJobView {
  books.last += 1;
  const job: PrintJobView = {
    id: `j${books.last}`,
    order_no: order.order_no,
    holder: "member",
    copy,
    state: "printed",
    printer: "receipt",
    torn: false,
    trouble: null,
    tries: 1,
    queued_at_ms: Date.now(),
  };
  books.prints.unshift(job);
  return job;
}

export function payCash(books: DemoBooks, request: PayCash, emit: Emit): OrderView {
  const pay = books.quotes.get(request.quote_id)?.quote.pay_fen ?? 0;
  const tendered = request.tendered === "" ? pay : readTendered(request.tendered);
  if (tendered === null) throw refusal("invalid_input", "amount_not_a_number");
  if (tendered < pay) throw refusal("invalid_input", "tendered_too_little");
  const approver = approverOf(books, request, pay);
  const { order, quote } = open(books, request);
  if (order.stage === "credited") return order;
  Object.assign(order, { tendered_fen: tendered, change_fen: tendered - order.pay_fen, approver });
  order.provisional = isOutOfReach(books.session.sync.state);
  credit(books, order, quote);
  emit({ kind: "member", member_id: order.member_id });
  emit({ kind: "order", order });
  return order;
}

const OFFLINE_CAP_FEN = 100_000;

/** Offline, a large amount needs a manager; in the demo a PIN is the staff number. */
function approverOf(books: DemoBooks, { approval }: PayCash, pay: number): string | null {
  const offline = isOutOfReach(books.session.sync.state);
  if (!offline || pay <= OFFLINE_CAP_FEN) return null;
  if (approval === null)
    throw refusal("approval_needed", "offline_cash_cap_order", { limit: "1000.00" });
  const person = books.session.staff.find(({ staff_no }) => staff_no === approval.staff_no);
  if (person === undefined) throw refusal("approval_needed", "approver_unknown");
  if (person.role !== "manager") throw refusal("approval_needed", "approver_no_manager");
  if (approval.pin !== person.staff_no) throw refusal("pin_wrong", "pin_wrong", { left: "4" });
  return person.name;
}

export function startQr(books: DemoBooks, request: StartQr): OrderView {
  const { order } = open(books, request);
  order.channel = request.channel;
  return showCode(order);
}

function showCode(order: OrderView): OrderView {
  order.stage = "waiting";
  order.failure = null;
  order.by_code = false;
  order.attempt_started_ms = Date.now();
  order.expires_at_ms = Date.now() + 192_000;
  order.had_code = true;
  const asked = order.parts?.other_fen ?? order.pay_fen;
  if (order.parts !== null) order.loose_cash = "keep";
  order.qr = qrOf(`training://pay/${order.order_no}?amount=${asked}`);
  return order;
}

export function retryPayment(books: DemoBooks, request: RetryPayment): OrderView {
  const order = orderOf(books, request.order_id);
  order.channel = request.channel;
  return showCode(order);
}

/** The channel says that it was paid. */
export function queryPayment(books: DemoBooks, { order_id }: OrderKey, emit: Emit): OrderView {
  const order = orderOf(books, order_id);
  if (order.stage === "unknown" || order.stage === "user_paying") {
    const known = [...books.quotes.values()].find(({ quote }) => quote.pay_fen === order.pay_fen);
    if (known !== undefined) credit(books, order, known.quote);
    emit({ kind: "member", member_id: order.member_id });
  }
  return order;
}

export function cancelOrder(books: DemoBooks, { order_id }: OrderKey): OrderView {
  const order = orderOf(books, order_id);
  const loose_cash = order.parts === null ? null : "give_back";
  Object.assign(order, { stage: "ended", qr: null, failure: null, loose_cash });
  return order;
}

const COPIES_ALONE = 2;

export function reprint(
  books: DemoBooks,
  { order_id, approval }: PrintCopy,
  emit: Emit,
): PrintJobView {
  const order = orderOf(books, order_id);
  if (order.copies >= COPIES_ALONE) checkManager(approval, "reprint_limit");
  order.copies += 1;
  const job = print(books, order, order.copies);
  emit({ kind: "print", job });
  return job;
}
