import type { BootStatus } from "../../bindings/BootStatus";
import type { FirstStart } from "../../bindings/FirstStart";
import type { NewPerson } from "../../bindings/NewPerson";
import type { SetUp } from "../../bindings/SetUp";
import type { SetUpStep } from "../../bindings/SetUpStep";
import { refusal, type DemoBooks } from "./handlers";

const ORDER: SetUpStep[] = ["welcome", "shop", "code", "people", "receipt", "printer", "methods"];

export const DEMO_CODE = "K7QM-2F9T-XW4H-8RJN-P3VB-6YCD-M5GA-9WXZ";

/** A set-up that has come to `step`, everything before it answered. */
export function setUpAt(books: DemoBooks, step: SetUpStep): FirstStart {
  const past = (other: SetUpStep) => ORDER.indexOf(step) > ORDER.indexOf(other);
  const owner = { id: "p1", staff_no: "8001", name: "周岚", role: "manager" as const };
  return {
    step,
    reached: step === "welcome" ? "shop" : step,
    shop: past("shop")
      ? {
          name: "云上美发",
          trade: "salon",
          profile: "cn_service",
          bonus: true,
          brand: { accent: "rose", short_name: "云上" },
        }
      : null,
    code: past("code") ? null : DEMO_CODE,
    people: past("people") ? [{ ...owner, locked_until_ms: null }] : [],
    receipt: {
      address: past("receipt") ? "杭州市西湖区文三路 1 号" : "",
      phone: past("receipt") ? "0571-88880000" : "",
      complaint_phone: "12315",
      refund_rule: "七日内未消费可全额退款；其余按优惠比例退回本金，赠金同时作废。",
    },
    settings: books.session.settings,
    methods: ["cash", "card", "transfer"],
    merchant_account: null,
  };
}

function reach(at: FirstStart, step: SetUpStep): void {
  at.step = step;
  if (ORDER.indexOf(at.reached) < ORDER.indexOf(step)) at.reached = step;
}

function wrong(field: string, key: string): never {
  throw refusal("invalid_input", key, { field });
}

function add(at: FirstStart, { name, role, pin, again }: NewPerson): void {
  if (name.trim() === "") wrong("name", "set_up_empty");
  if (at.people.some((person) => person.name === name)) wrong("name", "set_up_same_name");
  if (!/^\d{4,8}$/.test(pin)) wrong("pin", "set_up_pin_digits");
  if (pin !== again) wrong("again", "set_up_pin_differs");
  const isManager = role === "manager" || at.people.length === 0;
  const count = at.people.length + 1;
  at.people.push({
    id: `p${count}`,
    staff_no: isManager ? `${8000 + count}` : `${1000 + count}`,
    name,
    role: isManager ? "manager" : "cashier",
    locked_until_ms: null,
  });
  if (at.reached === "people") at.reached = "receipt";
}

export function setUp(books: DemoBooks, answer: SetUp): BootStatus {
  const { state } = books.boot;
  if (state.kind !== "first_start") throw refusal("wrong_state", "internal");
  const at = state.first_start;
  switch (answer.kind) {
    case "language":
      at.settings.language = answer.language;
      break;
    case "go_to":
      at.step = answer.step;
      break;
    case "shop":
      if (answer.shop.name.trim() === "") wrong("name", "set_up_empty");
      at.shop = answer.shop;
      reach(at, at.code === null ? "people" : "code");
      break;
    case "person":
      add(at, answer.person);
      break;
    case "without_person":
      at.people = at.people.filter((person) => person.id !== answer.id);
      break;
    case "receipt":
      if (answer.receipt.address.trim() === "") wrong("address", "set_up_empty");
      at.receipt = answer.receipt;
      reach(at, "printer");
      break;
    case "printer":
      at.settings.printer = answer.printer;
      reach(at, "methods");
      break;
    case "methods":
      if (answer.methods.length === 0) wrong("methods", "set_up_no_method");
      books.boot = { ...books.boot, state: { kind: "ready" } };
  }
  return books.boot;
}

/** The code is on paper. */
export function codeKept(at: FirstStart): void {
  at.code = null;
  reach(at, "people");
}
