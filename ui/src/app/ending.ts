import { gatewayName, remarkText } from "../i18n/account";
import { t } from "../i18n/index.svelte";
import type { Desk } from "./desk.svelte";
import { asCallError } from "./failure";

/**
 * Tells a manager at the counter which keys and certificates of the shop's accounts end soon. A server
 * that is away is told of elsewhere; the next manager hears it.
 */
export async function tellEnding(desk: Desk): Promise<void> {
  try {
    const { accounts } = await desk.call("payment_accounts", null);
    for (const { name, remarks } of accounts)
      for (const remark of remarks)
        desk.notices.tell("warn", () =>
          t("set_up.remark.of", { name: gatewayName(name), what: remarkText(name, remark) }),
        );
  } catch (reason) {
    if (asCallError(reason).code !== "server_unreachable") throw reason;
  }
}
