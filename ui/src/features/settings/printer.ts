import type { PrinterTarget } from "../../bindings/PrinterTarget";
import type { SpoolerForm } from "../../bindings/SpoolerForm";
import type { MessageKey } from "../../i18n/index.svelte";

export type DeviceFields = {
  kind: PrinterTarget["kind"];
  host: string;
  port: string;
  queue: string;
  form: SpoolerForm;
  path: string;
};
export type PrinterFaults = Partial<Record<"host" | "port" | "queue" | "path", MessageKey>>;

/** What a form starts with: what was saved, and what is usual for the other kinds. */
export function fieldsOf(target: PrinterTarget | undefined): DeviceFields {
  return {
    ...{ kind: "network", host: "", port: "9100", queue: "", form: "escpos", path: "" },
    ...(target?.kind === "network" ? { ...target, port: String(target.port) } : target),
  };
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
  queue: { queue: "printer.queue_empty" },
  path: { path: "printer.path_wrong" },
};

/** The field that the counter found wrong, if it is one of these. */
export function faultOfField(field: string | undefined): PrinterFaults | undefined {
  return field === undefined ? undefined : FIELD_FAULTS[field];
}
