import { asCallError } from "../../app/failure";
import type { CallError } from "../../bindings/CallError";
import type { PartsView } from "../../bindings/PartsView";
import { plainFen } from "../../i18n/money";
import { refusal } from "./handlers";

/** Characters of numerals with the plain one that each stands for. */
const PLAIN: Record<string, string> = {
  ...{ 零: "0", 一: "1", 二: "2", 三: "3", 四: "4", 五: "5", 六: "6", 七: "7", 八: "8", 九: "9" },
  ...{ 〇: "0", 两: "2", 俩: "2", 壹: "1", 贰: "2", 貳: "2", 叁: "3", 肆: "4", 伍: "5" },
  ...{ 陆: "6", 柒: "7", 捌: "8", 玖: "9", 拾: "十", 佰: "百", 仟: "千", 萬: "万" },
};
const BELOW_TEN_THOUSAND = /^(?:([1-9])千)?(?:0?([1-9])百)?(?:0?([1-9]?)(十))?(?:(0?)(\d))?$/;
const MOST_FEN = 1_000_000_000;

/** Reads a typed amount as `qiantai_core::amount_input` does; one table of cases tests both. */
export function typedFen(text: string): number {
  const plain = text
    .normalize("NFKC")
    .replaceAll(/\s/g, "")
    .replaceAll("。", ".")
    .replaceAll(/[−–负]/g, "-");
  if (plain === "") throw bad("amount_empty");
  const [, before, after, bare = ""] =
    /^(-?)[¥￥]?(-?)(.*?)(?:块钱|元|块|圆)?整?$/.exec(plain) ?? [];
  if (before && after) throw bad("amount_not_a_number");
  const fen = /^[\d.,]*$/.test(bare) ? digits(bare) : numerals(bare) * 100;
  if (fen === 0) throw bad("amount_zero");
  if (before || after) throw bad("amount_negative");
  if (fen > MOST_FEN) throw bad("amount_too_large");
  return fen;
}

const bad = (key: string) => refusal("invalid_input", key);

function digits(bare: string): number {
  const match = /^(\d{1,3}(?:,\d{3})+|\d*)(?:\.(\d*))?$/.exec(bare);
  if (match === null || !/\d/.test(bare)) throw bad("amount_not_a_number");
  const [, whole = "", decimals = ""] = match;
  if (decimals.length > 2) throw bad("amount_too_precise");
  return Number(whole.replaceAll(",", "") + decimals.padEnd(2, "0"));
}

/** Whole yuan. Digits that would have to be read one by one (三五零) could mean two things. */
function numerals(bare: string): number {
  const plain = [...bare].map((character) => PLAIN[character] ?? character).join("");
  const [, high, low = ""] = /^(?:(.+)万)?(.*)$/.exec(plain) ?? [];
  return high === undefined
    ? belowTenThousand(low, 10)
    : belowTenThousand(high, 10) * 10_000 + belowTenThousand(low, 10_000);
}

/** A last digit without a unit counts the unit below the one before it: 三百五 is 350. */
function belowTenThousand(text: string, unitBefore: number): number {
  const match = BELOW_TEN_THOUSAND.exec(text);
  if (match === null) throw bad("amount_not_a_number");
  const [, thousands = "", hundreds = "", tens, ten = "", zero, last = ""] = match;
  const unit = ten ? 10 : hundreds ? 100 : thousands ? 1_000 : unitBefore;
  const sum =
    Number(thousands) * 1_000 + Number(hundreds) * 100 + (ten ? Number(tens || 1) * 10 : 0);
  return sum + Number(last) * (zero ? 1 : unit / 10);
}

/** The part in cash as typed, and what is left for the other method. */
export function partsOf(text: string, pay: number): PartsView | null {
  if (text.trim() === "") return null;
  const refused = (error: CallError) => ({ ...error, params: { ...error.params, ...FIELD } });
  let cash: number;
  try {
    cash = typedFen(text);
  } catch (error) {
    throw refused(asCallError(error));
  }
  if (cash < pay) return { cash_fen: cash, other_fen: pay - cash };
  throw refused(refusal("invalid_input", "cash_part_whole", { amount: plainFen(pay) }));
}

/** What an error is about, where it stands next to the field of the part in cash. */
const FIELD = { field: "cash_part" };
