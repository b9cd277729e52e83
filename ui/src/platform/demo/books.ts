import type { MemberView } from "../../bindings/MemberView";
import type { OrderView } from "../../bindings/OrderView";
import type { SessionView } from "../../bindings/SessionView";
import type { Settings } from "../../bindings/Settings";
import type { DemoBooks } from "./handlers";
import { freshRules } from "./rules";
import { NO_COPY } from "./second-copy";
import { freshTerminals } from "./terminals";

const MINUTE = 60_000;
const DAY = 86_400_000;

export const STAFF = [
  { id: "s1", staff_no: "1001", name: "陈静", role: "cashier", locked_until_ms: null },
  { id: "s2", staff_no: "1002", name: "欧阳娜", role: "cashier", locked_until_ms: null },
  { id: "s3", staff_no: "2001", name: "王敏", role: "manager", locked_until_ms: null },
] as const;

function member(id: string, name: string, phone: string, change: Partial<MemberView>): MemberView {
  return {
    id,
    name,
    phone,
    member_no: `00201-88${id.padStart(2, "0")}`,
    tier: "普卡",
    available_fen: 12_050,
    principal_fen: 10_000,
    bonus_fen: 2_050,
    provisional_fen: 0,
    points: 320,
    recharged_fen: 50_000,
    next_tier: { name: "银卡", missing_fen: 150_000, percent: 25 },
    expiring: null,
    coupons: 0,
    active: true,
    recent: [],
    as_of_ms: Date.now() - MINUTE,
    ...change,
  };
}

export function freshBooks(settings: Partial<Settings>): DemoBooks {
  const now = Date.now();
  const session: SessionView = {
    shop: "简单美发 · 天河店",
    brand: { accent: "teal", short_name: null },
    terminal: "01",
    staff: STAFF.map((staff) => ({ ...staff })),
    signed_in: null,
    shift: null,
    sync: {
      state: "synced",
      stopped_key: null,
      copy_key: null,
      pending: 0,
      oldest_ms: null,
      last_contact_ms: now - 2_000,
    },
    settings: {
      language: "zh-CN",
      theme: "light",
      type_percent: 100,
      scan_pause_max_ms: 80,
      sound: true,
      volume_percent: 100,
      voice: true,
      customer_display: "second_screen",
      guide: "first",
      number_pad: "touch",
      low_balance_fen: 10_000,
      printer: {
        target: { kind: "network", host: "192.168.1.50", port: 9100 },
        paper_mm: 80,
        copies: 2,
        drawer: true,
        language: "zh-CN",
        glyphs: "gbk",
        spare: null,
      },
      ...settings,
    },
    guided: false,
    clock_skew_ms: null,
  };
  const members = [
    member("12", "张伟", "138****5678", {
      tier: "银卡",
      available_fen: 53_000,
      principal_fen: 46_000,
      bonus_fen: 7_000,
      points: 3_800,
      recharged_fen: 380_000,
      next_tier: { name: "金卡", missing_fen: 120_000, percent: 60 },
      expiring: { amount_fen: 2_000, at_ms: now + 12 * DAY },
      coupons: 2,
      recent: [
        { at_ms: now - 4 * 60 * MINUTE, pay_fen: 30_000, bonus_fen: 5_000, provisional: false },
        { at_ms: now - DAY, pay_fen: 20_000, bonus_fen: 0, provisional: false },
        { at_ms: now - 22 * DAY, pay_fen: 50_000, bonus_fen: 10_000, provisional: false },
        { at_ms: now - 40 * DAY, pay_fen: 100_000, bonus_fen: 23_000, provisional: false },
      ],
    }),
    member("13", "单雨", "139****2046", { available_fen: 42_000 }),
    member("14", "曾可", "137****8801", {}),
    member("15", "龚䶮", "186****0017", {}),
    member("16", "尉迟敏", "150****5678", { tier: "金卡", next_tier: null }),
    member("17", "迪丽热巴·阿不都热合曼·买买提江·吐尔逊", "188****9999", {
      tier: "钻石",
      available_fen: 99_999_999,
      principal_fen: 88_888_888,
      bonus_fen: 11_111_111,
      recharged_fen: 188_888_800,
      points: 1_888_888,
      next_tier: null,
      recent: [{ at_ms: now - DAY, pay_fen: 2_000_000, bonus_fen: 999_900, provisional: true }],
    }),
    member("18", "解放", "135****1949", { active: false }),
    member("19", "محمد علي", "133****7777", { available_fen: 30_000 }),
    member(
      "20",
      "阿布都热依木·吐尔逊江买提·艾合买提卡哈尔·玉素甫克力木·穆罕默德祖农伊敏托合提",
      "136****7777",
      {},
    ),
  ];
  return {
    boot: {
      state: { kind: "ready" },
      training: {
        pins: [
          ["1001", "1001"],
          ["1002", "1002"],
          ["2001", "2001"],
        ],
        phone_url: "http://127.0.0.1:4100/phone",
      },
      version: "0.1.0",
    },
    session,
    members,
    orders: [],
    todayLeftMs: 12 * 60 * MINUTE,
    prints: [],
    usb: [
      {
        ...{ name: "EPSON TM-T20II", vendor: "04b8", product: "0e15" },
        ...{ serial: "J4ZF001342", port: "1-1" },
      },
      {
        ...{ name: "GP-C80250", vendor: "0416", product: "5011" },
        ...{ serial: null, port: "1-2" },
      },
    ],
    operations: [],
    intents: new Map(),
    channels: ["wechat", "alipay", "unionpay", "ecny", "cash", "card", "transfer"],
    cases: { waiting: [], noted: [] },
    accounts: { entered_here: false, accounts: [] },
    down: new Map(),
    copy: NO_COPY,
    tills: freshTerminals(),
    rules: freshRules(),
    codes: new Set(),
    quotes: new Map(),
    triesLeft: 5,
    last: 0,
  };
}

/** An order that was credited some time ago. */
export function pastOrder(
  books: DemoBooks,
  memberId: string,
  minutesAgo: number,
  change: Partial<OrderView>,
): OrderView {
  const member = books.members.find(({ id }) => id === memberId);
  if (member === undefined) throw new Error(`no demo member ${memberId}`);
  books.last += 1;
  const at = Date.now() - minutesAgo * MINUTE;
  const order: OrderView = {
    id: `o${books.last}`,
    order_no: `CZ20261121140312${String(480 + books.last)}00201018${books.last}QK`,
    member_id: member.id,
    member: member.name,
    channel: "wechat",
    parts: null,
    loose_cash: null,
    pay_fen: 30_000,
    bonus_fen: 5_000,
    tendered_fen: null,
    change_fen: null,
    stage: "credited",
    by_code: false,
    qr: null,
    abnormal: null,
    had_code: false,
    expires_at_ms: null,
    attempt_started_ms: at + 1_200,
    failure: null,
    credit: null,
    provisional: false,
    channel_txn_no: null,
    approver: null,
    released_alone: false,
    opened_at_ms: at,
    copies: 0,
    ...change,
  };
  books.orders.unshift(order);
  return order;
}
