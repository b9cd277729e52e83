import type { ChannelView } from "../../bindings/ChannelView";
import type { NewPerson } from "../../bindings/NewPerson";

/** The lines of a receipt that a shop writes itself. */
export const RECEIPT_FIELDS = ["address", "phone", "complaint_phone", "refund_rule"] as const;

/** What the fields of a person are called. */
export const PERSON_FIELDS = ["name", "role", "pin", "again"] as const;

/** Payment methods that need no contract with anybody. */
export const AT_ONCE: ChannelView[] = ["cash", "card", "transfer"];

/** Payment methods that a gateway's contract makes work. */
export const WITH_CONTRACT: ChannelView[] = ["wechat", "alipay", "unionpay", "ecny"];

/** The shop's own code, which needs an account that it pays into. */
export const SHOP_CODE: ChannelView = "shop_code";

/** Nothing typed yet. */
export const nobody = (): NewPerson => ({ name: "", role: "cashier", pin: "", again: "" });

/** Whether anything was typed. */
export const isBegun = ({ name, pin, again }: NewPerson): boolean =>
  name.trim() !== "" || pin !== "" || again !== "";
