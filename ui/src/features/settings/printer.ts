import type { PrinterTarget } from "../../bindings/PrinterTarget";
import type { SpoolerForm } from "../../bindings/SpoolerForm";
import type { UsbPrinter } from "../../bindings/UsbPrinter";
import type { MessageKey } from "../../i18n/index.svelte";

export type DeviceFields = {
  kind: PrinterTarget["kind"];
  host: string;
  port: string;
  usb: UsbPrinter | null;
  queue: string;
  form: SpoolerForm;
  path: string;
};
export type PrinterFaults = Partial<Record<"host" | "port" | "usb" | "queue" | "path", MessageKey>>;

/** What a form starts with: what was saved, and what is usual for the other kinds. */
export function fieldsOf(target: PrinterTarget | undefined): DeviceFields {
  const usual: DeviceFields = {
    ...{ kind: "network", host: "", port: "9100", usb: null },
    ...{ queue: "", form: "escpos", path: "" },
  };
  if (target?.kind === "network") return { ...usual, ...target, port: String(target.port) };
  if (target?.kind === "usb") {
    const { kind, ...usb } = target;
    return { ...usual, kind, usb };
  }
  return { ...usual, ...target };
}

/** Which of `found` is meant, as the counter will find it; -1 for none. */
export function whichUsb(found: UsbPrinter[], chosen: UsbPrinter | null): number {
  const isAlike = (known: UsbPrinter) =>
    known.vendor === chosen?.vendor &&
    known.product === chosen.product &&
    known.serial === chosen.serial;
  // Of several that are alike in all else, the one in the same socket.
  const isAlone = found.filter(isAlike).length === 1;
  return found.findIndex((known) => isAlike(known) && (isAlone || known.port === chosen?.port));
}

/** What is wrong is said next to its field before anything is sent. */
export function checkPrinter(fields: DeviceFields): {
  target: PrinterTarget | null;
  faults: PrinterFaults;
} {
  const faults: PrinterFaults = {};
  if (fields.kind === "folder") {
    const path = fields.path.trim();
    if (path === "") return { target: null, faults: { path: "printer.path_empty" } };
    return { target: { kind: "folder", path }, faults };
  }
  if (fields.kind === "usb") {
    if (fields.usb === null) return { target: null, faults: { usb: "printer.usb_empty" } };
    return { target: { kind: "usb", ...fields.usb }, faults };
  }
  if (fields.kind === "spooler") {
    const { queue, form } = fields;
    if (queue === "") return { target: null, faults: { queue: "printer.queue_empty" } };
    return { target: { kind: "spooler", queue, form }, faults };
  }
  const host = fields.host.trim();
  const portText = fields.port.normalize("NFKC").trim();
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (host === "") faults.host = "printer.host_empty";
  else if (!/^[\w.:[\]-]+$/.test(host)) faults.host = "printer.host_wrong";
  if (port < 1 || port > 65_535) faults.port = "printer.port_wrong";
  const fine = Object.keys(faults).length === 0;
  return { target: fine ? { kind: "network", host, port } : null, faults };
}

const FIELD_FAULTS: Record<string, PrinterFaults> = {
  host: { host: "printer.host_wrong" },
  port: { port: "printer.port_wrong" },
  usb: { usb: "printer.usb_empty" },
  queue: { queue: "printer.queue_empty" },
  path: { path: "printer.path_wrong" },
};

/** The field that the counter found wrong, if it is one of these. */
export function faultOfField(field: string | undefined): PrinterFaults | undefined {
  return field === undefined ? undefined : FIELD_FAULTS[field];
}
