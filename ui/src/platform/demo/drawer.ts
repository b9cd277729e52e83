import type { DrawerForm } from "../../bindings/DrawerForm";
import type { OpenDrawer } from "../../bindings/OpenDrawer";
import type { PrintJobView } from "../../bindings/PrintJobView";
import { type DemoBooks, type Emit, refusal } from "./handlers";

const MANAGER = "2001";

export function drawerForm(books: DemoBooks): DrawerForm {
  const { settings, signed_in } = books.session;
  if (!settings.printer.drawer) throw refusal("wrong_state", "drawer_unset");
  return { intent: `drawer-${(books.last += 1)}`, alone: signed_in?.staff_no === MANAGER };
}

export function openDrawer(books: DemoBooks, request: OpenDrawer, emit: Emit): PrintJobView {
  const { staff_no, pin } = request.approval;
  const length = request.words.trim().length;
  if (request.reason === "other" && (length === 0 || length > 40))
    throw refusal("invalid_input", "drawer_words");
  if (staff_no !== MANAGER) throw refusal("approval_needed", "approver_no_manager");
  if (pin !== MANAGER) throw refusal("pin_wrong", "pin_wrong", { left: "4" });
  const known = books.prints.find(({ id }) => id === request.intent);
  if (known !== undefined) return known;
  const job: PrintJobView = {
    id: request.intent,
    order_no: "",
    holder: null,
    copy: 0,
    state: "printed",
    printer: "receipt",
    torn: false,
    trouble: null,
    tries: 1,
    queued_at_ms: Date.now(),
  };
  books.prints.unshift(job);
  emit({ kind: "print", job });
  return job;
}
