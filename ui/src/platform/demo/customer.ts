import type { CustomerOrder } from "../../bindings/CustomerOrder";
import type { CustomerView } from "../../bindings/CustomerView";
import type { CustomerFeed } from "../customer";

const ORDER: CustomerOrder = {
  member: "张*",
  channel: "wechat",
  pay_fen: 30_000,
  parts: null,
  bonus_fen: 5_000,
  state: "scan",
  qr: null,
  change_fen: null,
  balance_after_fen: null,
  provisional: false,
};

/** A square that looks like a code and is none. */
const PATTERN = {
  modules: 29,
  path: "M4 4h7v7h-7zM18 4h7v7h-7zM4 18h7v7h-7zM13 13h4v4h-4zM19 19h2v5h-2z",
  payload: "demo",
};

/** demo-counter: what the customer's display may have to show. */
export const CUSTOMER_SCENES = {
  brand: null,
  preparing: { ...ORDER, state: "preparing" },
  scan: { ...ORDER, qr: PATTERN },
  split: { ...ORDER, parts: { cash_fen: 10_000, other_fen: 20_000 }, qr: PATTERN },
  confirm: { ...ORDER, state: "confirm", qr: PATTERN },
  charging: { ...ORDER, state: "charging" },
  checking: { ...ORDER, state: "checking" },
  not_paid: { ...ORDER, state: "not_paid" },
  received: { ...ORDER, state: "received" },
  done: { ...ORDER, state: "done", balance_after_fen: 88_000 },
  cash: {
    ...ORDER,
    channel: "cash",
    state: "done",
    change_fen: 20_000,
    balance_after_fen: 88_000,
    provisional: true,
  },
  ask_staff: { ...ORDER, channel: null, state: "ask_staff" },
} as const satisfies Record<string, CustomerOrder | null>;

export type CustomerScene = keyof typeof CUSTOMER_SCENES;

export function customerView(
  order: CustomerOrder | null,
  looks: Partial<CustomerView> = {},
): CustomerView {
  const base = {
    language: "zh-CN",
    theme: "light",
    brand: { accent: "teal", short_name: null },
  } as const;
  return { ...base, shop: "动力健身", training: false, order, ...looks };
}

/** A feed for the page's address: customer.html?scene=…&lang=en&theme=dark */
export const demoFeed: CustomerFeed = (show) => {
  const asked = new URLSearchParams(location.search);
  const scene = asked.get("scene") ?? "brand";
  const known = Object.hasOwn(CUSTOMER_SCENES, scene);
  show(
    customerView(known ? CUSTOMER_SCENES[scene as CustomerScene] : null, {
      language: asked.get("lang") === "en" ? "en" : "zh-CN",
      theme: asked.get("theme") === "dark" ? "dark" : "light",
    }),
  );
  return Promise.resolve();
};
