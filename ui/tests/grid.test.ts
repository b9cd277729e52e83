import { expect, test } from "vitest";

import type { ReceiptCell } from "../src/bindings/ReceiptCell";
import { CELL, columnsOf, placesOf } from "../src/features/receipt/grid";

test.each([
  ["ab", false, 2],
  ["单号", false, 4],
  ["¥1.00", false, 5],
  ["龚䶮", false, 4],
  ["𠮷", false, 2],
  ["单", true, 4],
  // As the printer's layout counts them.
  ["a · b", false, 6],
  ["体验券 × 2", false, 11],
])("columnsOf %s", (text, large, columns) => expect(columnsOf(text, large)).toBe(columns));

const cell = (change: Partial<ReceiptCell>): ReceiptCell => ({
  ...{ text: "", align: "left", start: 0, end: 10, large: false, bold: false },
  ...change,
});

test.each([
  [cell({ text: "a单b" }), [0, 1, 3]],
  [cell({ text: "ab", align: "right" }), [8, 9]],
  [cell({ text: "ab", align: "centre" }), [4, 5]],
  [cell({ text: "ab", large: true, start: 2 }), [2, 4]],
  [cell({ text: "a·×b" }), [0, 1, 3, 5]],
  // A character outside the first plane is two UTF-16 units and stands in one place.
  [cell({ text: "𠮷a" }), [0, 0, 2]],
])("placesOf %o", (given, columns) =>
  expect(placesOf(given)).toBe(columns.map((column) => column * CELL).join(" ")),
);
