import type { BootStatus } from "../../bindings/BootStatus";
import type { CallError } from "../../bindings/CallError";
import type { CaseList } from "../../bindings/CaseList";
import type { ChannelView } from "../../bindings/ChannelView";
import type { CounterEvent } from "../../bindings/CounterEvent";
import type { MemberView } from "../../bindings/MemberView";
import type { OrderView } from "../../bindings/OrderView";
import type { PaymentAccounts } from "../../bindings/PaymentAccounts";
import type { PrintJobView } from "../../bindings/PrintJobView";
import type { UsbPrinter } from "../../bindings/UsbPrinter";
import type { QueuedOperation } from "../../bindings/QueuedOperation";
import type { QuoteRequest } from "../../bindings/QuoteRequest";
import type { QuoteView } from "../../bindings/QuoteView";
import type { SecondCopyView } from "../../bindings/SecondCopyView";
import type { ShopTerminals } from "../../bindings/ShopTerminals";
import type { SessionView } from "../../bindings/SessionView";
import type { ShopRules } from "../../bindings/ShopRules";
import type { CommandName, Request, Response } from "../host";
import { understand } from "./commands";
import { earlierOrders, memberPage } from "./member-page";
import { coverPrice } from "./booked-price";
import { chargeCode, offerCodes, readScan, startCode } from "./codes";
import { cancelOrder, payCash, queryPayment, reprint, retryPayment, startQr } from "./money";
import { codeKept, setUp } from "./first-start";
import { findOrders, orderPage } from "./order-book";
import { priceOf, topUpForm } from "./pricing";
import { receiptOf } from "./receipt";
import { bringBack } from "./receipts-back";
import { drawerForm, openDrawer } from "./drawer";
import { setSecondCopy } from "./second-copy";
import { endTerminal, inviteTerminal } from "./terminals";
import { checkAccount, paymentAccounts } from "./accounts";
import { casesOf, creditCase } from "./cases";
import { changePrint } from "./prints";
import { payRecorded, shopCode } from "./recorded";
import { checkNewMember, createMember } from "./registration";
import { changeRules } from "./rules";

export type DemoBooks = {
  boot: BootStatus;
  session: SessionView;
  members: MemberView[];
  orders: OrderView[];
  /** How long the business day goes on. */
  todayLeftMs: number;
  prints: PrintJobView[];
  /** Printers that are plugged in. */
  usb: UsbPrinter[];
  operations: QueuedOperation[];
  /** Orders by the intent that opened them. */
  intents: Map<string, string>;
  /** Methods that the shop takes, in its order. */
  channels: ChannelView[];
  cases: CaseList;
  accounts: PaymentAccounts;
  /** Methods whose gateway fails, and since when. */
  down: Map<ChannelView, number>;
  copy: SecondCopyView;
  tills: ShopTerminals;
  rules: ShopRules;
  /** Payment codes that were charged. */
  codes: Set<string>;
  quotes: Map<string, { request: QuoteRequest; quote: QuoteView }>;
  triesLeft: number;
  last: number;
};

export type Emit = (event: CounterEvent) => void;
type Handlers = {
  [N in CommandName]: (books: DemoBooks, payload: Request<N>, emit: Emit) => Response<N>;
};

export function refusal(code: CallError["code"], key: string, params = {}): CallError {
  return { code, message_key: `error.${key}`, params, retryable: false, money: "no" };
}

export function memberOf(books: DemoBooks, id: string): MemberView {
  const member = books.members.find((known) => known.id === id);
  if (member === undefined) throw refusal("not_found", "member_unknown");
  return member;
}

export function orderOf(books: DemoBooks, id: string): OrderView {
  const order = books.orders.find((known) => known.id === id);
  if (order === undefined) throw refusal("not_found", "order_unknown");
  return order;
}

function found(member: MemberView, text: string): boolean {
  const initials: Record<string, string> = { 张伟: "zw", 单雨: "sy", 曾可: "zk", 尉迟敏: "ycm" };
  const wanted = text.toLowerCase();
  return (
    member.name.includes(text) ||
    member.phone.endsWith(text) ||
    member.member_no.includes(text) ||
    (initials[member.name] ?? "").startsWith(wanted)
  );
}

export const handlers: Handlers = {
  boot_status: ({ boot }) => boot,
  recover: (books, { code }) => {
    if (!/^ABCD/i.test(code)) throw refusal("recovery_wrong", "recovery_wrong");
    books.boot = { ...books.boot, state: { kind: "ready" } };
    return books.boot;
  },
  open_again: ({ boot }) => boot,
  enrol: (books, { code }) => {
    const { state } = books.boot;
    const folder = "/srv/shop/org.qiantai.desktop";
    const unread = { kind: "trouble", cause: "code_unreadable", folder } as const;
    if (state.kind !== "trouble" && state.kind !== "first_start")
      throw refusal("wrong_state", "internal");
    books.boot = {
      ...books.boot,
      state: /^QTE1/.test(code)
        ? { kind: "ready" }
        : { ...unread, recoverable: false, enrollable: true },
    };
    return books.boot;
  },
  set_up: setUp,
  confirm_recovery_code: (books, { last_group }) => {
    if (last_group.trim().toUpperCase() !== "9WXZ")
      throw refusal("recovery_wrong", "recovery_wrong");
    if (books.boot.state.kind === "first_start") codeKept(books.boot.state.first_start);
    else books.boot = { ...books.boot, state: { kind: "ready" } };
    return books.boot;
  },
  session: ({ session }) => session,
  sign_in: (books, { staff_id, pin }) => {
    const staff = books.session.staff.find(({ id }) => id === staff_id);
    if (staff === undefined) throw refusal("not_found", "staff_unknown");
    if (pin !== staff.staff_no) {
      books.triesLeft -= 1;
      if (books.triesLeft > 0)
        throw refusal("pin_wrong", "pin_wrong", { left: String(books.triesLeft) });
      staff.locked_until_ms = Date.now() + 10 * 60_000;
      throw refusal("pin_locked", "pin_locked");
    }
    books.session.signed_in = staff;
    return books.session;
  },
  sign_out: ({ session }) => {
    session.signed_in = null;
    return session;
  },
  open_shift: ({ session }, { counts }) => {
    const float_fen = counts.reduce((sum, [fen, count]) => sum + fen * count, 0);
    const cashier = session.signed_in?.name ?? "";
    session.shift = { shift_no: "JB0001", cashier, opened_at_ms: Date.now(), float_fen };
    return session;
  },
  drawer_form: drawerForm,
  open_drawer: openDrawer,
  search_members: ({ members }, { text, exact }) =>
    members
      .filter((member) => (exact ? member.member_no === text : found(member, text)))
      .map(({ id, name, phone, member_no, tier, available_fen }) => ({
        ...{ id, name, phone, member_no, tier, available_fen },
        birth_month: (Number(id) % 12) + 1,
      })),
  member: (books, { member_id }) => memberOf(books, member_id),
  member_page: (books, { member_id }) => memberPage(books, memberOf(books, member_id)),
  earlier_orders: earlierOrders,
  new_member_form: (books) => ({ intent: `member-${(books.last += 1)}` }),
  check_new_member: checkNewMember,
  create_member: createMember,
  understand: (books, { text }) => understand(books, text),
  top_up_form: (books, { member_id }) => topUpForm(books, member_id),
  cover_price: coverPrice,
  quote: (books, request) => priceOf(books, request),
  pay_cash: payCash,
  shop_code: shopCode,
  pay_recorded: payRecorded,
  start_qr: startQr,
  read_scan: readScan,
  offer_codes: offerCodes,
  start_code: startCode,
  charge_code: chargeCode,
  retry_payment: retryPayment,
  query_payment: queryPayment,
  cancel_order: cancelOrder,
  order: (books, { order_id }) => orderOf(books, order_id),
  orders: ({ orders }) => orders,
  find_orders: findOrders,
  order_page: orderPage,
  payment_accounts: paymentAccounts,
  check_account: checkAccount,
  cases: casesOf,
  credit_case: creditCase,
  receipt: (books, { order_id }) => receiptOf(books, orderOf(books, order_id)),
  reprint,
  bring_back: bringBack,
  shop_terminals: ({ tills }) => tills,
  invite_terminal: inviteTerminal,
  end_terminal: endTerminal,
  shop_rules: ({ rules }) => rules,
  change_rules: changeRules,
  second_copy: ({ copy }) => copy,
  set_second_copy: setSecondCopy,
  queue: ({ session, operations, prints }) => ({ sync: session.sync, operations, prints }),
  retry_print: (books, { job_id }, emit) =>
    changePrint(books, job_id, { state: "queued", trouble: null }, emit),
  send_print: (books, { job_id, printer }, emit) =>
    changePrint(books, job_id, { state: "queued", trouble: null, printer }, emit),
  cancel_print: (books, { job_id }, emit) =>
    changePrint(books, job_id, { state: "cancelled", trouble: null }, emit),
  found_printers: () => ({
    queues: [
      { name: "Receipt_80mm", paused: false },
      { name: "Office_A4", paused: true },
    ],
    takes_pages: true,
    trouble: null,
  }),
  found_usb: ({ usb }) => ({ supported: true, printers: usb }),
  print_test_page: (_, { target }) => {
    if (target.kind === "network" && target.host.endsWith(".99"))
      throw refusal("wrong_state", "printer_unreachable");
    if (target.kind === "usb" && target.serial === null)
      throw refusal("wrong_state", "printer_usb_denied");
    return null;
  },
  save_settings: (books, settings) => {
    const { target } = settings.printer;
    if (target.kind === "folder" && !target.path.startsWith("/"))
      throw refusal("invalid_input", "settings_invalid", { field: "path" });
    books.session.settings = settings;
    books.session.guided = settings.guide === "always";
    return books.session;
  },
};
