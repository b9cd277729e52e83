import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { typedFen } from "../src/platform/demo/amount";

/** The core's own table of cases, so that the demo counter cannot drift from the product. */
const source = readFileSync(
  join(import.meta.dirname, "../../crates/core/src/amount_input.rs"),
  "utf8",
);
const ROW = /\("([^"]*)", (?:Ok\(([\d_]+)\)|Err\((\w+)\))\)/g;
const KEYS: Record<string, string> = {
  Empty: "error.amount_empty",
  NotANumber: "error.amount_not_a_number",
  Negative: "error.amount_negative",
  Zero: "error.amount_zero",
  TooPrecise: "error.amount_too_precise",
  TooLarge: "error.amount_too_large",
};
const CASES = [...source.matchAll(ROW)].map(([, text = "", fen, error]): [string, unknown] => [
  text.replaceAll(/\\u\{(\w+)\}/g, (_, code: string) => String.fromCodePoint(parseInt(code, 16))),
  fen === undefined ? KEYS[error ?? ""] : Number(fen.replaceAll("_", "")),
]);

function answer(text: string): unknown {
  try {
    return typedFen(text);
  } catch (refusal) {
    return (refusal as { message_key: string }).message_key;
  }
}

test("the table of the core is read whole", () => {
  const written = source.match(/^ +\(".*(?:Ok|Err)\(/gm) ?? [];
  expect(CASES.length).toBe(written.length);
  expect(CASES.length).toBeGreaterThan(60);
});

test.each(CASES)("the demo counter reads %j as the core does", (text, expected) => {
  expect(answer(text)).toBe(expected);
});
