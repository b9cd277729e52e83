import { eastAsianWidth } from "get-east-asian-width";

import type { QrView } from "../../bindings/QrView";
import type { ReceiptCell } from "../../bindings/ReceiptCell";
import type { ReceiptView } from "../../bindings/ReceiptView";

/** Width of a column and height of a row, in units of the drawing. */
export const CELL = 10;
export const ROW = 24;

export type Mark =
  | { kind: "text"; y: number; x: string; text: string; large: boolean; bold: boolean }
  | { kind: "line"; y: number; from: number; to: number; dashed: boolean }
  | { kind: "qr"; y: number; left: number; side: number; qr: QrView };

const BASELINE = 0.78;

const columnsOfCharacter = (character: string) =>
  eastAsianWidth(character.codePointAt(0) ?? 0, { ambiguousAsWide: true });

/**
 * Columns that a text takes: one for a letter, two for a Chinese character. Ambiguous ones such as
 * `·` and `×` take two, as on the printers and in the layout that the rows come from.
 */
export function columnsOf(text: string, large: boolean): number {
  const plain = [...text].reduce((sum, it) => sum + columnsOfCharacter(it), 0);
  return large ? plain * 2 : plain;
}

/** Where each character stands, as the list that SVG takes: one number per UTF-16 unit. */
export function placesOf(cell: ReceiptCell): string {
  const spare = cell.end - cell.start - columnsOf(cell.text, cell.large);
  const share = { left: 0, centre: 0.5, right: 1 }[cell.align];
  let column = cell.start + spare * share;
  const places: number[] = [];
  for (const character of cell.text) {
    for (let unit = 0; unit < character.length; unit++) places.push(column * CELL);
    column += columnsOf(character, cell.large);
  }
  return places.join(" ");
}

/** The rows of the printer as marks on a drawing. */
export function layOut(receipt: ReceiptView): { marks: Mark[]; height: number } {
  const width = receipt.columns * CELL;
  const marks: Mark[] = [];
  let y = 0;
  for (const row of receipt.rows) {
    switch (row.kind) {
      case "text": {
        const height = row.cells.some((cell) => cell.large) ? ROW * 2 : ROW;
        for (const cell of row.cells) {
          const { text, large, bold } = cell;
          marks.push({
            kind: "text",
            text,
            large,
            bold,
            y: y + height * BASELINE,
            x: placesOf(cell),
          });
        }
        y += height;
        break;
      }
      case "rule":
        marks.push({ kind: "line", y: y + ROW / 2, from: 0, to: width, dashed: !row.heavy });
        y += ROW;
        break;
      case "signature": {
        const label = { align: "left", start: 0, end: receipt.columns } as const;
        const cell: ReceiptCell = { ...label, text: row.label, large: false, bold: false };
        const base = y + ROW * 1.5;
        const from = (columnsOf(row.label, false) + 1) * CELL;
        marks.push({
          kind: "text",
          text: row.label,
          large: false,
          bold: false,
          y: base,
          x: placesOf(cell),
        });
        marks.push({ kind: "line", y: base + 3, from, to: width, dashed: false });
        y += ROW * 2;
        break;
      }
      case "feed":
        y += row.rows * ROW;
        break;
      case "qr": {
        const side = Math.min(width * 0.72, 260);
        marks.push({ kind: "qr", y, left: (width - side) / 2, side, qr: row.qr });
        y += side;
      }
    }
  }
  return { marks, height: y };
}
