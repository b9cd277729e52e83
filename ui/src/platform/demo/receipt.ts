import type { OrderView } from "../../bindings/OrderView";
import type { ReceiptRow } from "../../bindings/ReceiptRow";
import type { ReceiptView } from "../../bindings/ReceiptView";
import { formatFen } from "../../i18n/money";
import type { DemoBooks } from "./handlers";
import { qrOf } from "./money";

const COLUMNS = 48;

function centred(text: string, large = false): ReceiptRow {
  const field = { align: "centre", start: 0, end: COLUMNS } as const;
  return { kind: "text", cells: [{ ...field, text, large, bold: large }] };
}

function pair(name: string, value: string, bold = false): ReceiptRow {
  const both = { large: false, bold };
  return {
    kind: "text",
    cells: [
      { ...both, text: name, align: "left", start: 0, end: 20 },
      { ...both, text: value, align: "right", start: 20, end: COLUMNS },
    ],
  };
}

export function receiptOf(books: DemoBooks, order: OrderView): ReceiptView {
  const after = order.credit?.balance_after_fen ?? 88_000;
  const before = order.credit?.balance_before_fen ?? 53_000;
  return {
    columns: COLUMNS,
    rows: [
      centred(books.session.shop, true),
      centred("广州市天河区体育西路 101 号 020-38001234"),
      { kind: "rule", heavy: true },
      centred("充值单"),
      ...(order.copies > 0 ? [centred(`补打 COPY ${order.copies}`)] : []),
      pair("单号", order.order_no),
      pair("时间", "2026-11-21 14:03:12"),
      pair("终端 / 收银", `${books.session.terminal} / 陈静`),
      { kind: "rule", heavy: false },
      pair("会员", "张* 138****5678 银卡"),
      pair("实付", `¥${formatFen(order.pay_fen)}`, true),
      pair("赠送", `¥${formatFen(order.bonus_fen)} (秋季阶梯)`),
      pair("充前余额", `¥${formatFen(before)}`),
      pair("充后余额", `¥${formatFen(after)}`, true),
      { kind: "rule", heavy: false },
      {
        kind: "text",
        cells: [
          {
            text: "余额可退,赠金不退;详见合同 HT-2026-0012",
            align: "left",
            start: 0,
            end: COLUMNS,
            large: false,
            bold: false,
          },
        ],
      },
      { kind: "signature", label: "顾客签名" },
      { kind: "feed", rows: 1 },
      { kind: "qr", qr: qrOf(`Q1:${order.order_no}:`.repeat(4)) },
      centred("投诉电话 12315"),
    ],
  };
}
