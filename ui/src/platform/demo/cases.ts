import type { CaseList } from "../../bindings/CaseList";
import type { CaseView } from "../../bindings/CaseView";
import type { CreditCase } from "../../bindings/CreditCase";
import type { OrderView } from "../../bindings/OrderView";
import { pastOrder } from "./books";
import { type DemoBooks, type Emit, orderOf, refusal } from "./handlers";

const MANAGER = "2001";

export function casesOf({ session, cases }: DemoBooks): CaseList {
  if (session.signed_in?.role === "cashier") throw refusal("wrong_state", "role_not_allowed");
  return cases;
}

export function creditCase(books: DemoBooks, request: CreditCase, emit: Emit): OrderView {
  const order = orderOf(books, request.order_id);
  const { staff_no, pin } = request.approval;
  if (staff_no !== MANAGER) throw refusal("approval_needed", "approver_no_manager");
  if (pin !== MANAGER) throw refusal("pin_wrong", "pin_wrong", { left: "4" });
  order.stage = "credited";
  const { waiting, noted } = books.cases;
  const done = waiting.filter((item) => item.order?.id === order.id);
  for (const { order: its } of done) {
    if (its === null) continue;
    [its.stage, its.creditable, its.released_alone] = ["credited", false, its.taker_alone];
    [order.approver, order.released_alone] = ["王敏", its.taker_alone];
  }
  books.cases = {
    waiting: waiting.filter((item) => !done.includes(item)),
    noted: [...done, ...noted],
  };
  emit({ kind: "order", order });
  return order;
}

/** Some of each sort; `alone` where the shop's only manager took the money herself. */
export function openCases(books: DemoBooks, alone = false): void {
  const of = (cause: string, order: OrderView | null, minutes: number): CaseView => ({
    id: `case-${cause}`,
    cause_key: `case.${cause}`,
    advice_key: `case_advice.${cause}`,
    opened_at_ms: Date.now() - minutes * 60_000,
    amount_fen: order?.pay_fen ?? null,
    member: order === null ? null : `${order.member.slice(0, 1)}*`,
    order:
      order === null
        ? null
        : {
            id: order.id,
            order_no: order.order_no,
            stage: order.stage,
            creditable: order.stage === "paid",
            taker_alone: alone && order.stage === "paid",
            released_alone: false,
          },
  });
  const blocked = pastOrder(books, "16", 38, { stage: "paid" });
  const late = pastOrder(books, "13", 190, {
    stage: "abnormal",
    abnormal: "late",
    channel: "alipay",
  });
  const large = pastOrder(books, "17", 1_500, { channel: "cash", pay_fen: 2_000_000 });
  books.cases = {
    waiting: [of("credit_blocked", blocked, 38), of("late_payment", late, 190)],
    noted: [of("clock_wrong", null, 600), of("limit_passed", large, 1_500)],
  };
}
