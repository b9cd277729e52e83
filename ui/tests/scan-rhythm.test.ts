import { expect, test } from "vitest";

import { follow, RHYTHM, SILENCE, type TimedKey, type Verdict } from "../src/app/scan-rhythm";

const CODE = "134567890123456789";

/** Keys with the same pause between them. */
function keys(text: string, gapMs: number, from = 1_000): TimedKey[] {
  return [...text].map((key, place) => ({ key, at: from + place * gapMs }));
}

function enterAfter(before: TimedKey[], gapMs: number): TimedKey[] {
  return [...before, { key: "Enter", at: (before.at(-1)?.at ?? 0) + gapMs }];
}

/** The verdict on the last key, and what was scanned if it is one. */
function check(all: TimedKey[]): { verdict: Verdict; text: string } {
  let burst = SILENCE;
  let outcome: { verdict: Verdict; text: string } = { verdict: "key", text: "" };
  for (const key of all) {
    const step = follow(burst, key);
    outcome = { verdict: step.verdict, text: step.verdict === "scan" ? burst.text : "" };
    burst = step.burst;
  }
  return outcome;
}

const typed = { verdict: "key", text: "" };

test.each([
  ["a fast scanner", enterAfter(keys(CODE, 1), 1), { verdict: "scan", text: CODE }],
  ["all at one moment", enterAfter(keys(CODE, 0), 0), { verdict: "scan", text: CODE }],
  ["30 ms for a key", enterAfter(keys(CODE, 30), 30), { verdict: "scan", text: CODE }],
  ["50 ms for a key", enterAfter(keys(CODE, 50), 50), { verdict: "scan", text: CODE }],
  ["as slow as a scan may be", enterAfter(keys(CODE, 80), 80), { verdict: "scan", text: CODE }],
  ["a little slower", enterAfter(keys(CODE, 81), 81), typed],
  ["a quick hand", enterAfter(keys("13812345678", 110), 110), typed],
  ["Enter a moment later", enterAfter(keys(CODE, 5), 200), typed],
  ["too few keys", enterAfter(keys("12345", 2), 2), typed],
  ["just enough keys", enterAfter(keys("123456", 2), 2), { verdict: "scan", text: "123456" }],
  ["Enter alone", [{ key: "Enter", at: 5 }], typed],
  ["no Enter yet", keys(CODE, 5), { verdict: "burst", text: "" }],
  ["another key within", [...keys(CODE, 5), { key: "Backspace", at: 1_090 }], typed],
  ["a character of no code", [...keys(CODE, 5), { key: "张", at: 1_090 }], typed],
])("%s", (_, all, expected) => {
  expect(check(all)).toEqual(expected);
});

test("a scan after typed keys is the scan alone", () => {
  const hand = keys("12", 150);
  const scan = enterAfter(keys(CODE, 8, 3_000), 8);
  expect(check([...hand, ...scan])).toEqual({ verdict: "scan", text: CODE });
});

test("shift goes down around capital letters", () => {
  const card = ["Q", "T", "-", "0", "0", "2"].flatMap((key, place) => [
    { key: "Shift", at: 1_000 + place * 20 },
    { key, at: 1_005 + place * 20 },
  ]);
  expect(check(enterAfter(card, 10))).toEqual({ verdict: "scan", text: "QT-002" });
});

test("the threshold is one number", () => {
  let burst = SILENCE;
  const slow = keys(CODE, 300);
  for (const key of slow) burst = follow(burst, key, { ...RHYTHM, gapMaxMs: 300 }).burst;
  expect(burst.text).toBe(CODE);
});
