import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { fill } from "../src/i18n/lookup";

const here = join(import.meta.dirname, "..");
const read = (name: string) => JSON.parse(readFileSync(join(here, "messages", name), "utf8"));

const CATALOGUES: Record<string, Record<string, string>> = {
  "zh-CN": read("zh-CN.json"),
  en: read("en.json"),
};
const COUNTER_KEYS: string[] = read("counter-keys.json");
const ALL = [...new Set(Object.values(CATALOGUES).flatMap((texts) => Object.keys(texts)))];

const namesIn = (text: string) =>
  [...text.matchAll(/\{(\w+)/g)].map(([, name]) => name).sort((a, b) => (a! < b! ? -1 : 1));

for (const [language, texts] of Object.entries(CATALOGUES)) {
  test(`${language} says everything`, () => {
    const missing = [...ALL, ...COUNTER_KEYS].filter((key) => (texts[key] ?? "").trim() === "");
    expect(missing).toEqual([]);
  });

  test(`${language} uses the same values as the other languages`, () => {
    for (const key of ALL)
      for (const other of Object.values(CATALOGUES))
        expect(new Set(namesIn(texts[key]!)), key).toEqual(new Set(namesIn(other[key]!)));
  });
}

test("English speaks English", () => {
  const chinese = Object.entries(CATALOGUES["en"]!).filter(([, text]) =>
    /\p{Script=Han}/u.test(text),
  );
  expect(chinese).toEqual([]);
});

test("Chinese uses the full width marks of Chinese", () => {
  const narrow = /[\p{Script=Han}“”《》（）()}][,:;?!]|[,:;?!][\p{Script=Han}“”《》（）(){]/u;
  const wrong = Object.entries(CATALOGUES["zh-CN"]!).filter(([, text]) =>
    narrow.test(text.replaceAll(/\{\w+[^}]*\}/g, "{}")),
  );
  expect(wrong).toEqual([]);
});

test("Chinese has one form of brackets", () => {
  const wrong = Object.entries(CATALOGUES["zh-CN"]!).filter(([, text]) => /[()]/.test(text));
  expect(wrong).toEqual([]);
});

test("the sum of a day says that it counts payments still open", () => {
  expect(CATALOGUES["zh-CN"]!["limit.day_sum"]).toContain("未完成的收款");
  expect(CATALOGUES["en"]!["limit.day_sum"]).toContain("payments still open");
});

test("what a server keeps for a person may have been paid by card or transfer", () => {
  expect(CATALOGUES["zh-CN"]!["error.held_by_server"]).not.toContain("现金");
  expect(CATALOGUES["en"]!["error.held_by_server"]).not.toMatch(/cash/i);
});

test("every key that the counter's words name has a sentence", () => {
  const words = readFileSync(join(here, "../crates/counter/src/words.rs"), "utf8");
  const named = [...words.matchAll(/=> "(\w+)"/g)].map(([, key]) => key);
  expect(named.length).toBeGreaterThan(20);
  const known = COUNTER_KEYS.map((key) => key.split(".")[1]);
  expect(named.filter((key) => !known.includes(key))).toEqual([]);
});

test("every limit has its few words on the card of an amount", () => {
  const limits = COUNTER_KEYS.filter((key) => key.startsWith("limit."));
  expect(limits.length).toBeGreaterThan(5);
  for (const key of limits) expect(CATALOGUES["zh-CN"]![`offer.${key}`], key).toBeTruthy();
});

const plural = new Intl.PluralRules("en");
const FILLED: [string, Record<string, string | number>, string][] = [
  ["{a} and {b}", { a: "x", b: 2 }, "x and 2"],
  ["{limit_fen}", { limit_fen: 500_000 }, "¥5,000.00"],
  ["{count} {count:coupon|coupons}", { count: 1 }, "1 coupon"],
  ["{count} {count:coupon|coupons}", { count: 2 }, "2 coupons"],
  ["{count} {count:coupon|coupons}", { count: 12_000 }, "12,000 coupons"],
  ["no {value}", {}, "no {value}"],
];

test.each(FILLED)("fill %s", (text, params, expected) => {
  expect(fill(text, params, plural)).toBe(expected);
});
