import type { AccountCheck } from "../../bindings/AccountCheck";
import type { AccountField } from "../../bindings/AccountField";
import type { AccountFieldKind } from "../../bindings/AccountFieldKind";
import type { CheckAccount } from "../../bindings/CheckAccount";
import type { PaymentAccounts } from "../../bindings/PaymentAccounts";
import { type DemoBooks, refusal } from "./handlers";

const STEPS = [
  "filled",
  "own_key",
  "own_certificate",
  "dates",
  "gateway_key",
  "reach",
  "secure",
  "clock",
  "activated",
  "accepted",
] as const;

const field = (place: string, kind: AccountFieldKind = "plain", needed = true): AccountField => ({
  ...{ place, kind, needed },
  filled: false,
});

const ENDS = { message_key: "set_up.remark.ends_soon", params: { count: "21" } };

/** What a server elsewhere has, and what a shop enters on its own computer. */
export const ACCOUNTS_THERE: PaymentAccounts = {
  entered_here: false,
  accounts: [
    { name: "wechat", channels: ["wechat"], state: "up", remarks: [], fields: [] },
    { name: "alipay", channels: ["alipay"], state: "closed", remarks: [], fields: [] },
    { name: "unionpay", channels: ["unionpay"], state: "not_set_up", remarks: [], fields: [] },
    { name: "shouqianba", channels: [], state: "not_set_up", remarks: [], fields: [] },
  ],
};

export const ACCOUNTS_HERE: PaymentAccounts = {
  entered_here: true,
  accounts: [
    {
      name: "wechat",
      channels: ["wechat"],
      state: "not_set_up",
      remarks: [],
      fields: [
        field("appid"),
        field("mchid"),
        field("private_key", "key"),
        field("certificate", "certificate"),
        field("api_v3_key", "secret"),
        field("public_keys.0.id"),
        field("public_keys.0.key", "certificate"),
        field("unattended_notify_url"),
        field("store_id", "plain", false),
        field("base_url", "plain", false),
      ],
    },
    {
      name: "alipay",
      channels: ["alipay"],
      state: "up",
      remarks: [{ ...ENDS, place: "app_certificate" }],
      fields: [field("app_id")],
    },
    {
      name: "unionpay",
      channels: ["unionpay"],
      state: "down",
      remarks: [],
      fields: [field("merchant_id")],
    },
    {
      name: "shouqianba",
      channels: [],
      state: "not_set_up",
      remarks: [],
      fields: [
        field("vendor_sn"),
        field("vendor_key", "secret"),
        field("app_id"),
        field("activation_code", "secret"),
        field("base_url", "plain", false),
      ],
    },
  ],
};

export function paymentAccounts({ session, accounts }: DemoBooks): PaymentAccounts {
  if (session.signed_in?.role !== "manager") throw refusal("wrong_state", "role_not_allowed");
  return accounts;
}

/**
 * An account that does not open has a key that the gateway refuses; what is entered fails by the APIv3
 * key, or by an activation code that is shorter than four.
 */
export function checkAccount(books: DemoBooks, { name, entered, pin }: CheckAccount): AccountCheck {
  const { accounts } = paymentAccounts(books);
  const account = accounts.find((known) => known.name === name);
  if (account === undefined) throw refusal("not_found", "account_unknown");
  const fields = Object.entries(entered);
  if (fields.length > 0 && pin !== books.session.signed_in?.staff_no)
    throw refusal("pin_wrong", "pin_wrong", { left: "4" });
  const why = wrongIn(entered) ?? (account.state === "closed" ? REFUSED : null);
  const words = STEPS.filter((word) => word !== "activated" || name === "shouqianba");
  const at = why === null ? words.length : words.indexOf(why.step);
  const steps = words.map((word, place) => ({
    name_key: `set_up.step.${word}`,
    state:
      place < at ? ("passed" as const) : place > at ? ("skipped" as const) : ("failed" as const),
    fault:
      place !== at || why === null
        ? null
        : {
            message_key: `set_up.fault.${why.fault}`,
            params: why.params,
            place: why.place,
            detail: null,
          },
  }));
  const good = why === null;
  const in_force = good && fields.length > 0;
  if (in_force) {
    account.state = "up";
    for (const kept of account.fields) kept.filled ||= kept.place in entered;
  }
  const remarks = good && name !== "shouqianba" ? [{ ...ENDS, place: "certificate" }] : [];
  return { good, in_force, steps, remarks };
}

type Why = {
  step: (typeof STEPS)[number];
  fault: string;
  params: Record<string, string>;
  place: string | null;
};

const REFUSED: Why = { step: "accepted", fault: "signature_refused", params: {}, place: null };

function wrongIn(entered: CheckAccount["entered"]): Why | null {
  const key = entered["api_v3_key"];
  if (key !== undefined && key.length !== 32) {
    const params = { count: String(key.length) };
    return { step: "own_key", fault: "not_thirty_two", params, place: "api_v3_key" };
  }
  const code = entered["activation_code"];
  if (code === undefined || code.length >= 4) return null;
  const place = "activation_code";
  return { step: "activated", fault: "activation_refused", params: {}, place };
}
