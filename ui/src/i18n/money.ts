/** Amounts are whole fen; text is cut, never divided. */
export function formatFen(fen: number): string {
  const digits = Math.abs(fen).toString().padStart(3, "0");
  const yuan = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${fen < 0 ? "−" : ""}${yuan}.${digits.slice(-2)}`;
}

/** ¥1,234.50 */
export function money(fen: number): string {
  return fen < 0 ? `−¥${formatFen(-fen)}` : `¥${formatFen(fen)}`;
}

/** ¥300 where fen are zero: for buttons and short sentences. */
export function shortMoney(fen: number): string {
  return money(fen).replace(/\.00$/, "");
}

/**
 * What was typed as cash handed over, only to show the change while typing. The counter reads
 * the same text itself and decides; nothing computed here is ever charged.
 */
export function readTendered(text: string): number | null {
  const plain = text.normalize("NFKC").replace(/[\s,¥]/g, "");
  const match = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(plain);
  if (match?.[1] === undefined) return null;
  return Number(`${match[1]}${(match[2] ?? "").padEnd(2, "0")}`);
}

/**
 * Sums a customer is likely to hand over above an amount: the next round ten, fifty and hundred
 * where the amount is not round itself, then the next five hundred and thousand.
 */
export function likelyNotes(payFen: number): number[] {
  const above = (step: number) => payFen - (payFen % step) + step;
  const small = [1_000, 5_000, 10_000].filter((step) => payFen % step !== 0);
  const sums = [...small, 50_000, 100_000].map(above);
  return [...new Set(sums)].sort((a, b) => a - b).slice(0, 3);
}

/** Plain text of an amount for a field: 500 or 500.50. */
export function plainFen(fen: number): string {
  return formatFen(fen).replaceAll(",", "").replace(/\.00$/, "");
}
