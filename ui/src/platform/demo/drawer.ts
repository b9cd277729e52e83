import type { Approval } from "../../bindings/Approval";
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

/** Refuses with `without` where nobody was typed. */
export function checkManager(approval: Approval | null, without: string) {
  if (approval === null) throw refusal("approval_needed", without);
  if (approval.staff_no !== MANAGER) throw refusal("approval_needed", "approver_no_manager");
  if (approval.pin !== MANAGER) throw refusal("pin_wrong", "pin_wrong", { left: "4" });
}

export function openDrawer(books: DemoBooks, request: OpenDrawer, emit: Emit): PrintJobView {
  const length = request.words.trim().length;
  if (request.reason === "other" && (length === 0 || length > 40))
    throw refusal("invalid_input", "drawer_words");
  checkManager(request.approval, "approver_unknown");
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
