import type { OrderView } from "../../bindings/OrderView";
import type { PaymentAccounts } from "../../bindings/PaymentAccounts";
import type { SetUpStep } from "../../bindings/SetUpStep";
import type { Stage } from "../../bindings/Stage";
import type { TroubleCause } from "../../bindings/TroubleCause";
import type { DemoCounter } from "../bridge";
import { ACCOUNTS_HERE, ACCOUNTS_THERE } from "./accounts";
import { pastOrder } from "./books";
import { DEMO_CODE, setUpAt } from "./first-start";
import { openCases } from "./cases";

type Scene = (counter: DemoCounter) => void;

function signedIn({ books }: DemoCounter): void {
  books.session.signed_in = books.session.staff[0] ?? null;
}

function onShift(counter: DemoCounter): void {
  signedIn(counter);
  const { books } = counter;
  books.session.shift = {
    shift_no: "JB20261121090000",
    cashier: "陈静",
    opened_at_ms: Date.now() - 5 * 3_600_000,
    float_fen: 50_000,
  };
  pastOrder(books, "14", 300, { channel: "cash", pay_fen: 50_000, bonus_fen: 10_000 });
  pastOrder(books, "17", 95, { channel: "alipay", pay_fen: 2_000_000, bonus_fen: 999_900 });
  pastOrder(books, "13", 40, { stage: "ended" });
  pastOrder(books, "15", 12, { channel: "ecny" });
}

function asManager(counter: DemoCounter, then: (books: DemoCounter["books"]) => void): void {
  onShift(counter);
  const { books } = counter;
  books.session.signed_in = books.session.staff[2] ?? null;
  then(books);
}

/** A manager, and a server with these accounts. */
function withAccounts(counter: DemoCounter, accounts: PaymentAccounts): void {
  asManager(counter, (books) => (books.accounts = structuredClone(accounts)));
}

function offline(counter: DemoCounter): void {
  onShift(counter);
  const { books } = counter;
  const oldest_ms = Date.now() - 37 * 60_000;
  books.session.sync = {
    state: "offline",
    stopped_key: null,
    copy_key: null,
    pending: 7,
    oldest_ms,
    last_contact_ms: oldest_ms,
  };
  const names = ["张伟", "单雨", "曾可", "龚䶮", "尉迟敏", "张伟", "单雨"];
  books.operations = names.map((member, at) => ({
    device_seq: 41 + at,
    kind_key: at === 2 ? "operation.receipt_reprint" : "operation.recharge_cash",
    order_no: `CZ2026112114${at}312480002010183QK`,
    member,
    amount_fen: at === 2 ? null : 30_000 + at * 10_000,
    state: at === 0 ? "held" : at === 1 ? "refused" : "pending",
    reason_key: at === 0 ? "case.limit_passed" : at === 1 ? "error.member_not_active" : null,
    at_ms: oldest_ms + at * 60_000,
  }));
  books.prints = (["queued", "printing", "failed", "printed"] as const).map((state, at) => ({
    id: `j${at}`,
    order_no: `CZ2026112114${at}312480002010183QK`,
    holder: at === 0 ? ("shop" as const) : ("member" as const),
    copy: at === 3 ? 1 : 0,
    state,
    printer: "receipt" as const,
    torn: state === "failed",
    trouble: state === "failed" ? "error.printer_timeout" : null,
    tries: state === "failed" ? 5 : 1,
    queued_at_ms: Date.now() - at * 120_000,
  }));
  pastOrder(books, "12", 3, { channel: "cash", provisional: true });
}

function withOpen(stage: Stage, change: Partial<OrderView> = {}): Scene {
  return (counter) => {
    onShift(counter);
    pastOrder(counter.books, "16", 2, { stage, expires_at_ms: Date.now() + 45_000, ...change });
  };
}

const JOINING = new Set<TroubleCause>([
  "code_unreadable",
  "code_foreign",
  "code_used",
  "code_expired",
  "server_unreachable",
  "server_untrusted",
]);

function trouble(cause: TroubleCause, recoverable: boolean): Scene {
  return ({ books }) => {
    const folder = "/srv/shop/org.qiantai.desktop";
    books.boot = {
      ...books.boot,
      training: null,
      state: { kind: "trouble", cause, folder, recoverable, enrollable: JOINING.has(cause) },
    };
  };
}

function makingAt(step: SetUpStep): Scene {
  return ({ books }) => {
    const state = { kind: "first_start", first_start: setUpAt(books, step) } as const;
    books.boot = { ...books.boot, training: null, state };
  };
}

export const SCENES = {
  opening: ({ books }) => {
    books.boot = { ...books.boot, state: { kind: "opening" } };
  },
  keep_code: ({ books }) => {
    books.boot = { ...books.boot, state: { kind: "show_recovery_code", code: DEMO_CODE } };
  },
  key_lost: trouble("key_lost", true),
  database_unreadable: trouble("database_unreadable", true),
  database_corrupt: trouble("database_corrupt", false),
  vault_corrupt: trouble("vault_corrupt", true),
  disk_full: trouble("disk_full", false),
  newer_version: trouble("newer_version", false),
  folder_in_use: trouble("folder_in_use", false),
  folder_unusable: trouble("folder_unusable", false),
  first_start: makingAt("welcome"),
  first_start_shop: makingAt("shop"),
  first_start_code: makingAt("code"),
  first_start_people: makingAt("people"),
  first_start_receipt: makingAt("receipt"),
  first_start_printer: makingAt("printer"),
  first_start_methods: makingAt("methods"),
  code_unreadable: trouble("code_unreadable", false),
  code_foreign: trouble("code_foreign", false),
  code_used: trouble("code_used", false),
  code_expired: trouble("code_expired", false),
  server_unreachable: trouble("server_unreachable", false),
  server_untrusted: trouble("server_untrusted", false),
  sign_in: () => undefined,
  open_shift: signedIn,
  counter: onShift,
  clock_far: (counter) => {
    onShift(counter);
    counter.books.session.clock_skew_ms = -1_826 * 86_400_000;
  },
  clock_off: (counter) => {
    onShift(counter);
    counter.books.session.clock_skew_ms = -420_000;
  },
  cases: (counter) => asManager(counter, (books) => openCases(books)),
  case_alone: (counter) => asManager(counter, (books) => openCases(books, true)),
  accounts_here: (counter) => withAccounts(counter, ACCOUNTS_HERE),
  accounts_there: (counter) => withAccounts(counter, ACCOUNTS_THERE),
  shop_code: (counter) => {
    onShift(counter);
    counter.books.channels = [...counter.books.channels, "shop_code"];
  },
  channel_down: (counter) => {
    onShift(counter);
    const since = Date.now() - 3 * 60_000;
    counter.books.down.set("wechat", since).set("unionpay", since);
  },
  unknown_elsewhere: withOpen("unknown"),
  offline,
} satisfies Record<string, Scene>;

export type SceneName = keyof typeof SCENES;
