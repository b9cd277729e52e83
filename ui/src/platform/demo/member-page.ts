import type { EarlierOrders } from "../../bindings/EarlierOrders";
import type { MemberOrders } from "../../bindings/MemberOrders";
import type { MemberPage } from "../../bindings/MemberPage";
import type { MemberView } from "../../bindings/MemberView";
import type { OrderSummary } from "../../bindings/OrderSummary";
import type { OrderView } from "../../bindings/OrderView";
import type { DemoBooks } from "./handlers";

const DAY = 86_400_000;
const ORDERS_STEP = 20;

/** Two lots that add up to the balance, the older one about to lose its bonus. */
export function memberPage({ orders }: DemoBooks, member: MemberView): MemberPage {
  const now = Date.now();
  const soon = member.expiring?.amount_fen ?? 0;
  const { principal_fen, bonus_fen } = member;
  const older = { principal_fen: 100_000, principal_left_fen: 0, bonus_fen: 23_000 };
  const newer = { principal_fen, principal_left_fen: principal_fen, bonus_fen: bonus_fen - soon };
  const credited = { order_no: null, credited_at_ms: now - 40 * DAY };
  const lots = [
    {
      ...{ ...credited, ...older, bonus_left_fen: soon },
      ...{ bonus_expires_ms: member.expiring?.at_ms ?? null, expires_soon: soon > 0 },
    },
    {
      ...{ ...newer, bonus_left_fen: newer.bonus_fen, credited_at_ms: now - DAY },
      ...{ order_no: "CZ202611211403124800020101VP6D", expires_soon: false },
      bonus_expires_ms: newer.bonus_fen > 0 ? now + 300 * DAY : null,
    },
  ].filter((lot) => lot.principal_left_fen + lot.bonus_left_fen > 0);
  const coupon = { name: "体验券", face_fen: 2_000, threshold_fen: 10_000 };
  return {
    member,
    lots,
    coupons:
      member.coupons === 0
        ? []
        : [{ ...coupon, expires_ms: now + 20 * DAY, count: member.coupons }],
    history: history(orders, member.id, ORDERS_STEP),
  };
}

/** The first `most` of a member's orders. */
function history(orders: OrderView[], memberId: string, most: number): MemberOrders {
  const own = orders.filter((order) => order.member_id === memberId);
  return { orders: own.slice(0, most).map(summary), has_earlier: own.length > most };
}

export const earlierOrders = ({ orders }: DemoBooks, { member_id, shown }: EarlierOrders) =>
  history(orders, member_id, shown + ORDERS_STEP);

function summary(order: OrderView): OrderSummary {
  const { id, order_no, member_id, member, pay_fen, bonus_fen } = order;
  const { channel, parts, loose_cash, stage, provisional, opened_at_ms } = order;
  return {
    ...{ id, order_no, member_id, member, pay_fen, bonus_fen },
    ...{ channel, parts, loose_cash, stage, provisional, opened_at_ms },
  };
}
