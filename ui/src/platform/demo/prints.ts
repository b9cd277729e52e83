import type { PrintJobView } from "../../bindings/PrintJobView";
import type { QueueView } from "../../bindings/QueueView";
import type { DemoBooks, Emit } from "./handlers";

/** What a person at the queue does with a slip. */
export function changePrint(
  books: DemoBooks,
  id: string,
  change: Partial<PrintJobView>,
  emit: Emit,
): QueueView {
  const job = books.prints.find((known) => known.id === id);
  if (job !== undefined) emit({ kind: "print", job: Object.assign(job, change) });
  return { sync: books.session.sync, operations: books.operations, prints: books.prints };
}
