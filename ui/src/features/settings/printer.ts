import type { PrinterTarget } from "../../bindings/PrinterTarget";
import type { MessageKey } from "../../i18n/index.svelte";

export type PrinterFields = {
  kind: PrinterTarget["kind"];
  host: string;
  port: string;
  path: string;
};
export type PrinterFaults = Partial<Record<"host" | "port" | "path", MessageKey>>;

/** What is wrong is said next to its field before anything is sent. */
export function checkPrinter(fields: PrinterFields): {
  target: PrinterTarget | null;
  faults: PrinterFaults;
} {
  const faults: PrinterFaults = {};
  if (fields.kind === "folder") {
    const path = fields.path.trim();
    if (path === "") return { target: null, faults: { path: "printer.path_empty" } };
    return { target: { kind: "folder", path }, faults };
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
  path: { path: "printer.path_wrong" },
};

/** The field that the counter found wrong, if it is one of these. */
export function faultOfField(field: string | undefined): PrinterFaults | undefined {
  return field === undefined ? undefined : FIELD_FAULTS[field];
}
