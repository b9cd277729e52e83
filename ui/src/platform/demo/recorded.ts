import { isOutOfReach } from "../../app/reach";
import type { OrderView } from "../../bindings/OrderView";
import type { PayRecorded } from "../../bindings/PayRecorded";
import type { ShowShopCode } from "../../bindings/ShowShopCode";
import { type DemoBooks, type Emit, refusal } from "./handlers";
import { credit, open, qrOf } from "./money";

/** What the counter makes of the commonest slips; the real one knows more of them. */
function readReference(text: string): string {
  const reference = text.replaceAll(/\s/g, "").toUpperCase();
  const wrong = [...reference].find((character) => !/[A-Z0-9-]/.test(character));
  const refused = (key: string, params = {}) =>
    refusal("invalid_input", `reference_${key}`, params);
  if (reference === "") throw refused("empty");
  if (wrong !== undefined) throw refused("character", { character: wrong });
  if (reference.length < 4) throw refused("too_short", { least: "4" });
  if (reference.length > 32) throw refused("too_long", { most: "32" });
  return reference;
}

/** A code with amount and number; the real one is built by the counter. */
export function shopCode(books: DemoBooks, request: ShowShopCode): OrderView {
  const { order } = open(books, request);
  const fen = String(order.pay_fen);
  const amount = `${fen.slice(0, -2)}.${fen.slice(-2)}`;
  const qr = qrOf(`00020101021215313112704070002044600000000000001${amount}${order.order_no}`);
  Object.assign(order, { channel: "shop_code", stage: "waiting", qr, had_code: true });
  books.orders.splice(books.orders.indexOf(order), 1);
  books.intents.delete(request.intent);
  return order;
}

export function payRecorded(books: DemoBooks, request: PayRecorded, emit: Emit): OrderView {
  const reference = readReference(request.reference);
  const earlier = books.orders.find((order) => order.channel_txn_no === reference);
  if (earlier !== undefined && !request.reference_confirmed)
    throw request.channel !== "transfer"
      ? refusal("reference_used", "reference_used", { no: earlier.order_no })
      : refusal("invalid_input", "reference_taken", { no: earlier.order_no });
  const offline = isOutOfReach(books.session.sync.state);
  if (offline && request.approval === null) throw refusal("approval_needed", "offline_recorded");
  const { order, quote } = open(books, request);
  if (order.stage === "credited") return order;
  order.channel_txn_no = reference;
  order.provisional = offline;
  credit(books, order, quote);
  emit({ kind: "member", member_id: order.member_id });
  emit({ kind: "order", order });
  return order;
}
