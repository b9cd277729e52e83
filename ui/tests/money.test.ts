import { expect, test } from "vitest";

import {
  formatFen,
  likelyNotes,
  money,
  plainFen,
  readTendered,
  shortMoney,
} from "../src/i18n/money";

test.each([
  [0, "0.00"],
  [5, "0.05"],
  [-5, "−0.05"],
  [99, "0.99"],
  [100, "1.00"],
  [123_450, "1,234.50"],
  [99_999_999, "999,999.99"],
  [100_000_000_000, "1,000,000,000.00"],
])("formatFen %i", (fen, text) => expect(formatFen(fen)).toBe(text));

test.each([
  [30_000, "¥300"],
  [30_050, "¥300.50"],
])("shortMoney %i", (fen, text) => expect(shortMoney(fen)).toBe(text));

test("a negative amount carries its sign before the currency", () =>
  expect(money(-100)).toBe("−¥1.00"));

test.each([
  ["", null],
  ["三百", null],
  ["-5", null],
  ["0.001", null],
  ["1e9", null],
  ["500", 50_000],
  ["1,000", 100_000],
  ["500", 50_000],
  ["12.5", 1_250],
  ["¥ 12.05", 1_205],
])("readTendered %s", (text, fen) => expect(readTendered(text)).toBe(fen));

test.each([
  [30_000, [50_000, 100_000]],
  [123_450, [124_000, 125_000, 130_000]],
  [100_000, [150_000, 200_000]],
])("likelyNotes %i", (fen, sums) => expect(likelyNotes(fen)).toEqual(sums));

test.each([
  [50, "0.50"],
  [10_000, "100"],
])("plainFen %i", (fen, text) => expect(plainFen(fen)).toBe(text));
