import type { ChangeRules } from "../../bindings/ChangeRules";
import type { MerchantAccountView } from "../../bindings/MerchantAccountView";
import type { RulesChange } from "../../bindings/RulesChange";
import type { ShopRules } from "../../bindings/ShopRules";
import { ACCOUNT_FIELDS } from "../../features/first-start/account-fields";
import { STAFF } from "./books";
import { type DemoBooks, type Emit, refusal } from "./handlers";

const MANAGER = "2001";

export const freshRules = (): ShopRules => ({
  version: 1,
  shop: "简单美发 · 天河店",
  people: [
    ...STAFF.map(({ id, staff_no, name, role }) => ({ id, staff_no, name, role, active: true })),
    { id: "s4", staff_no: "1004", name: "曾可", role: "cashier", active: false },
  ],
  receipt: {
    address: "广州市天河区体育东路 118 号",
    phone: "020-38880000",
    complaint_phone: "12315",
    refund_rule: "七日内未消费可全额退款；其余按优惠比例退回本金，赠金同时作废。",
  },
  brand: { accent: "teal", short_name: null },
  merchant_account: null,
  methods: ["wechat", "alipay", "unionpay", "card", "cash", "transfer"],
});

function wrong(field: string, key: string): never {
  throw refusal("invalid_input", key, { field });
}

function checkPin(pin: string, again: string): void {
  if (!/^\d{4,8}$/.test(pin)) wrong("pin", "set_up_pin_digits");
  if (pin !== again) wrong("again", "set_up_pin_differs");
}

/** As the core has it: the first account brings the code, and the code goes with it. */
function pay(rules: ShopRules, account: MerchantAccountView | null): void {
  if (account !== null) {
    const empty = ACCOUNT_FIELDS.find(([field]) => account[field].trim() === "");
    if (empty !== undefined) wrong(empty[1], "set_up_empty");
    if (account.merchant.trim().length !== 15)
      throw refusal("invalid_input", "set_up_places", { field: "merchant", places: "15" });
  }
  const others = rules.methods.filter((method) => method !== "shop_code");
  if (account === null) rules.methods = others;
  else if (rules.merchant_account === null) rules.methods = [...others, "shop_code"];
  rules.merchant_account = account;
}

function changed({ people, ...rest }: ShopRules, change: RulesChange): ShopRules {
  const rules: ShopRules = {
    ...rest,
    version: rest.version + 1,
    people: people.map((person) => ({ ...person })),
  };
  const who = "id" in change ? rules.people.find(({ id }) => id === change.id) : undefined;
  switch (change.kind) {
    case "join": {
      const { name, role, pin, again } = change.person;
      if (name.trim() === "") wrong("name", "set_up_empty");
      checkPin(pin, again);
      const count = people.length + 1;
      const staff_no = `${role === "manager" ? 8000 + count : 1000 + count}`;
      rules.people.push({ id: `s${count}`, staff_no, name, role, active: true });
      break;
    }
    case "pin":
      checkPin(change.pin, change.again);
      break;
    case "role":
      if (who !== undefined) who.role = change.role;
      break;
    case "leave":
    case "return":
      if (who !== undefined) who.active = change.kind === "return";
      break;
    case "receipt":
      if (change.receipt.address.trim() === "") wrong("address", "set_up_empty");
      rules.receipt = change.receipt;
      break;
    case "methods":
      if (change.methods.length === 0) wrong("methods", "set_up_no_method");
      rules.methods = change.methods;
      break;
    case "account":
      pay(rules, change.merchant_account);
      break;
    case "brand":
      if ((change.brand.short_name ?? "").length > 12)
        throw refusal("invalid_input", "set_up_short_name_too_long", {
          field: "short_name",
          most: "12",
        });
      rules.brand = change.brand;
  }
  if (!rules.people.some(({ active, role }) => active && role === "manager"))
    wrong("role", "set_up_no_manager");
  rules.people.sort((one, other) => Number(other.active) - Number(one.active));
  return rules;
}

export function changeRules(
  books: DemoBooks,
  { version, change, approval }: ChangeRules,
  emit: Emit,
): ShopRules {
  if (version !== books.rules.version) throw refusal("wrong_state", "rules_moved");
  const rules = changed(books.rules, change);
  if (books.session.sync.state === "offline") throw refusal("server_unreachable", "rules_offline");
  if (approval === null) throw refusal("approval_needed", "rules_need_manager");
  if (approval.staff_no !== MANAGER) throw refusal("approval_needed", "approver_no_manager");
  if (approval.pin !== MANAGER) throw refusal("pin_wrong", "pin_wrong", { left: "4" });
  books.rules = rules;
  books.session.brand = rules.brand;
  emit({ kind: "session" });
  return rules;
}
