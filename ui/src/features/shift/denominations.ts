/** Notes and coins of the float, largest first (docs: domain §5.1). */
export const DENOMINATIONS_FEN = [10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10] as const;

/** Pieces typed for one denomination; empty is none, anything unreadable is null. */
export function readCount(text: string): number | null {
  const plain = text.normalize("NFKC").trim();
  if (plain === "") return 0;
  return /^\d{1,5}$/.test(plain) ? Number(plain) : null;
}

/** The float, or null while a count cannot be read. */
export function totalFen(counts: readonly (number | null)[]): number | null {
  let total = 0;
  for (const [place, fen] of DENOMINATIONS_FEN.entries()) {
    const count = counts[place];
    if (count === null || count === undefined) return null;
    total += count * fen;
  }
  return total;
}
