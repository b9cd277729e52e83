import { expect, test } from "vitest";

import { checkPrinter, fieldsOf, whichUsb } from "../src/features/settings/printer";
import { DENOMINATIONS_FEN, readCount, totalFen } from "../src/features/shift/denominations";

const network = fieldsOf({ kind: "network", host: "printer.local", port: 9100 });
const epson = { name: "EPSON TM-T20II", vendor: "04b8", product: "0e15" };
const own = { ...epson, serial: "J4ZF001", port: "1-1" };
const bare = { ...epson, serial: null, port: "1-2" };
const usb = fieldsOf({ kind: "usb", ...own });
const queue = fieldsOf({ kind: "spooler", queue: "Receipt", form: "pdf" });

test.each([
  [network, {}],
  [{ ...network, host: "192.168.1.50", port: "９１００" }, {}],
  [{ ...network, host: "" }, { host: "printer.host_empty" }],
  [{ ...network, host: "a b" }, { host: "printer.host_wrong" }],
  [{ ...network, host: "http://x" }, { host: "printer.host_wrong" }],
  [{ ...network, port: "0" }, { port: "printer.port_wrong" }],
  [{ ...network, port: "65536" }, { port: "printer.port_wrong" }],
  [{ ...network, port: "nine" }, { port: "printer.port_wrong" }],
  [usb, {}],
  [{ ...usb, usb: null }, { usb: "printer.usb_empty" }],
  [queue, {}],
  [{ ...queue, queue: "" }, { queue: "printer.queue_empty" }],
  [{ ...network, kind: "folder", path: " " } as const, { path: "printer.path_empty" }],
  [{ ...network, kind: "folder", path: "/tmp/slips" } as const, {}],
])("checkPrinter %o", (fields, faults) => {
  const checked = checkPrinter(fields);
  expect(checked.faults).toEqual(faults);
  expect(checked.target === null).toBe(Object.keys(faults).length > 0);
});

test("a printer on USB is saved as it was found", () => {
  expect(checkPrinter(usb).target).toEqual({ kind: "usb", ...own });
});

test.each([
  ["nothing chosen", null, [own], -1],
  ["in its socket", own, [bare, own], 1],
  ["in another socket", own, [bare, { ...own, port: "3-1" }], 1],
  ["away, and one without a number there", own, [bare], -1],
  ["without a number, alone in another socket", bare, [{ ...bare, port: "3-1" }], 0],
  ["two without a number", bare, [{ ...bare, port: "3-1" }, bare], 1],
  ["two others without a number", { ...bare, port: "9-9" }, [{ ...bare, port: "3-1" }, bare], -1],
])("whichUsb: %s", (_, chosen, found, at) => expect(whichUsb(found, chosen)).toBe(at));

test.each([
  ["", 0],
  ["12", 12],
  ["１２", 12],
  ["-1", null],
  ["1.5", null],
  ["x", null],
])("readCount %s", (text, count) => expect(readCount(text)).toBe(count));

test("the float is the sum of pieces, unknown while one count is unreadable", () => {
  const one = DENOMINATIONS_FEN.map(() => 1);
  expect(totalFen(one)).toBe(18_660);
  expect(totalFen([...one.slice(1), null])).toBe(null);
});
