import type { ReceiptBack } from "../../bindings/ReceiptBack";
import type { ReceiptStanding } from "../../bindings/ReceiptStanding";
import { type DemoBooks, refusal } from "./handlers";
import { isOutOfReach } from "../../app/reach";

const FOUND: [string, ReceiptStanding, string][] = [
  ["QT1:NEW", "new", "new"],
  ["QT1:KNOWN", "known", "known"],
  ["QT1:GONE", "kept", "quarantined"],
  ["QT1:FORGED", "refused", "forged"],
  ["QT1:OTHER", "refused", "other_shop"],
];

/** A text such as `QT1:NEW-2` stands for the code of the second such receipt. */
export function bringBack(books: DemoBooks, { text }: { text: string }): ReceiptBack {
  if (isOutOfReach(books.session.sync.state))
    throw { ...refusal("server_unreachable", "receipts_unanswered"), money: "unknown" };
  const found = FOUND.find(([begin]) => text.startsWith(begin));
  const [, standing, word] = found ?? ["", "refused", "damaged"];
  const number = Number(text.split("-")[1] ?? 1);
  const told = standing !== "refused";
  return {
    id: text,
    standing,
    sentence_key: `receipts.${word}`,
    order_no: told ? `CZ2026112114031248000201010${number}7QX` : null,
    member: told ? "张伟" : null,
    amount_fen: told ? number * 10_000 : null,
    at_ms: told ? Date.now() - number * 60_000 : null,
    terminal: told ? "01" : null,
    missing_before: standing === "new" ? number - 1 : 0,
  };
}
