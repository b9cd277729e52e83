import type { MessageKey } from "../i18n/index.svelte";

export type Action = (event: KeyboardEvent) => void;

/** Where a key works. */
export type Place =
  | "everywhere"
  | "counter"
  | "top_up"
  | "paying"
  | "success"
  | "receipt"
  | "orders"
  | "question"
  | "sign_in"
  | "shift";

type Shortcut = {
  place: Place;
  /** As `nameOf` calls them. */
  keys: readonly string[];
  /** As it stands on the control. */
  shown: string;
  does: MessageKey;
};

const DIGITS = [..."123456789"].map((digit) => `Digit${digit}`);

/** Every key of the window, once: screens bind them, controls show them, F1 explains them. */
export const SHORTCUTS = {
  help: { place: "everywhere", keys: ["F1"], shown: "F1", does: "keys.name" },
  search: { place: "everywhere", keys: ["Slash"], shown: "/", does: "search.name" },
  command: { place: "everywhere", keys: ["Ctrl+KeyK"], shown: "Ctrl K", does: "keys.command" },
  register: { place: "everywhere", keys: ["Ctrl+KeyN"], shown: "Ctrl N", does: "keys.register" },
  to_members: { place: "everywhere", keys: ["F2"], shown: "F2", does: "keys.members" },
  to_counter: { place: "everywhere", keys: ["F6"], shown: "F6", does: "rail.counter" },
  to_orders: { place: "everywhere", keys: ["F7"], shown: "F7", does: "rail.orders" },
  to_queue: { place: "everywhere", keys: ["F8"], shown: "F8", does: "queue.name" },
  to_settings: { place: "everywhere", keys: ["F9"], shown: "F9", does: "rail.settings" },
  phone: { place: "everywhere", keys: ["F10"], shown: "F10", does: "keys.phone" },
  to_cases: { place: "everywhere", keys: ["F11"], shown: "F11", does: "rail.cases" },
  lock: { place: "everywhere", keys: ["F12"], shown: "F12", does: "keys.lock" },

  open_order: { place: "counter", keys: ["F3"], shown: "F3", does: "keys.open_order" },
  member_page: { place: "counter", keys: ["F4"], shown: "F4", does: "member_page.name" },
  pick: { place: "counter", keys: ["Enter"], shown: "Enter", does: "keys.pick" },

  amount: { place: "top_up", keys: DIGITS, shown: "1–9", does: "keys.amount" },
  other_amount: { place: "top_up", keys: ["Digit0"], shown: "0", does: "top_up.custom" },
  wechat: { place: "top_up", keys: ["KeyW"], shown: "W", does: "channel.wechat" },
  alipay: { place: "top_up", keys: ["KeyA"], shown: "A", does: "channel.alipay" },
  unionpay: { place: "top_up", keys: ["KeyU"], shown: "U", does: "channel.unionpay" },
  ecny: { place: "top_up", keys: ["KeyE"], shown: "E", does: "channel.ecny" },
  card: { place: "top_up", keys: ["KeyK"], shown: "K", does: "channel.card" },
  cash: { place: "top_up", keys: ["KeyC"], shown: "C", does: "channel.cash" },
  exact: { place: "top_up", keys: ["KeyV"], shown: "V", does: "keys.exact" },
  notes: { place: "top_up", keys: ["KeyB", "KeyN", "KeyM"], shown: "B N M", does: "keys.notes" },
  transfer: { place: "top_up", keys: ["KeyT"], shown: "T", does: "channel.transfer" },
  shop_code: { place: "top_up", keys: ["KeyS"], shown: "S", does: "channel.shop_code" },
  suggested: { place: "top_up", keys: ["KeyL"], shown: "L", does: "keys.suggested" },
  booked_price: { place: "top_up", keys: ["KeyP"], shown: "P", does: "booked.price" },
  guide: { place: "top_up", keys: ["KeyG"], shown: "G", does: "keys.guide" },
  pay: { place: "top_up", keys: ["Enter"], shown: "Enter", does: "keys.pay" },
  leave_form: { place: "top_up", keys: ["Escape"], shown: "Esc", does: "keys.leave_form" },

  query: { place: "paying", keys: ["F5"], shown: "F5", does: "keys.query" },
  later: { place: "paying", keys: ["F4"], shown: "F4", does: "keys.later" },
  give_up: { place: "paying", keys: ["Escape"], shown: "Esc", does: "keys.give_up" },
  again: { place: "paying", keys: ["Enter"], shown: "Enter", does: "keys.again" },

  next: { place: "success", keys: ["Enter", "Escape"], shown: "Enter", does: "success.next" },
  show_receipt: { place: "success", keys: ["KeyP"], shown: "P", does: "success.receipt" },
  reprint: { place: "receipt", keys: ["KeyR"], shown: "R", does: "keys.reprint" },

  up: { place: "orders", keys: ["ArrowUp"], shown: "↑", does: "keys.up" },
  down: { place: "orders", keys: ["ArrowDown"], shown: "↓", does: "keys.down" },
  open_row: { place: "orders", keys: ["Enter"], shown: "Enter", does: "keys.open_row" },

  yes: { place: "question", keys: ["KeyY"], shown: "Y", does: "keys.yes" },
  approve: { place: "question", keys: ["Enter"], shown: "Enter", does: "keys.approve" },
  back: { place: "question", keys: ["Escape"], shown: "Esc", does: "keys.back" },

  person: { place: "sign_in", keys: DIGITS, shown: "1–9", does: "keys.person" },
  pin: { place: "sign_in", keys: ["Digit0", ...DIGITS], shown: "0–9", does: "keys.pin" },
  erase: { place: "sign_in", keys: ["Backspace"], shown: "⌫", does: "keys.erase" },
  enter: { place: "sign_in", keys: ["Enter"], shown: "Enter", does: "sign_in.enter" },
  other_person: { place: "sign_in", keys: ["Escape"], shown: "Esc", does: "sign_in.other" },

  open_shift: { place: "shift", keys: ["Ctrl+Enter"], shown: "Ctrl ⏎", does: "keys.open_shift" },
} as const satisfies Record<string, Shortcut>;

/** What F1 explains. */
export const explained = (): Shortcut[] => Object.values<Shortcut>(SHORTCUTS);

export type ShortcutName = keyof typeof SHORTCUTS;
export type Actions = Partial<Record<ShortcutName, Action>>;

declare const BOUND: unique symbol;
/** Keys with what they do here. Made by `bound` alone, so that none is outside the table. */
export type KeyMap = Readonly<Record<string, Action>> & { readonly [BOUND]: true };

export function bound(actions: Actions): KeyMap {
  const keys: Record<string, Action> = {};
  for (const [name, action] of Object.entries(actions))
    for (const key of SHORTCUTS[name as ShortcutName].keys) keys[key] = action;
  return keys as KeyMap;
}

/** The key as it stands on its control. */
export const keyOf = (name: ShortcutName): string => SHORTCUTS[name].shown;

/** The keys of a row of controls, one for each. */
export const keysOf = (name: ShortcutName): string[] => SHORTCUTS[name].shown.split(" ");

/** Which control of such a row a key is for. */
export const placeOf = (name: ShortcutName, { code }: KeyboardEvent): number =>
  (SHORTCUTS[name].keys as readonly string[]).indexOf(code);

/** The key as assistive technology is told it (aria-keyshortcuts). */
export const spokenKeyOf = (name: ShortcutName): string =>
  SHORTCUTS[name].shown.replace("Ctrl ", "Control+").replace("⏎", "Enter").replace("Esc", "Escape");

/** 0 to 9, of the row or the pad. */
export const digitOf = (event: KeyboardEvent): number => Number(event.code.slice(-1));
