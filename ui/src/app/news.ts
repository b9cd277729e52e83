import type { OrderView } from "../bindings/OrderView";
import { methodName } from "../i18n/channel";
import { t } from "../i18n/index.svelte";
import { money } from "../i18n/money";
import { isRecorded } from "./recorded";

/** Where an order stands now, in one sentence. */
export function newsOf(order: OrderView): string {
  const { stage, member } = order;
  const asked = order.loose_cash === null ? undefined : order.parts?.other_fen;
  const values = { member, amount: money(asked ?? order.pay_fen), channel: methodName(order) };
  const provisional = stage === "credited" && order.provisional;
  const taken = isRecorded(order.channel) ? "said_recorded_provisional" : "said_provisional";
  const said = stage === "abnormal" ? saidOfAbnormal(order) : (`stage.${stage}.said` as const);
  const stands = t(provisional ? `success.${taken}` : said, values);
  if (order.loose_cash !== "give_back") return stands;
  return t("loose.give_back.said", { stands, cash: money(order.parts?.cash_fen ?? 0) });
}

function saidOfAbnormal(order: OrderView) {
  if (order.abnormal === "mismatch") return "stage.abnormal.said_mismatch";
  if (order.abnormal === "returned") return "stage.abnormal.said_returned";
  return "stage.abnormal.said";
}
