import type { SecondCopySetting } from "../../bindings/SecondCopySetting";
import type { SecondCopyView } from "../../bindings/SecondCopyView";
import { type DemoBooks, type Emit, refusal } from "./handlers";

export const NO_COPY: SecondCopyView = {
  offered: true,
  folder: null,
  waiting: 0,
  oldest_ms: null,
  current_ms: null,
  warning_key: null,
};

/** `/media/…` is a stick, `/own/…` this till's own disk, `/gone/…` was pulled out since. */
export function setSecondCopy(
  books: DemoBooks,
  { folder }: SecondCopySetting,
  emit: Emit,
): SecondCopyView {
  if (folder !== null && !folder.startsWith("/"))
    throw refusal("invalid_input", "copy_not_absolute");
  if (folder?.startsWith("/none")) throw refusal("invalid_input", "copy_gone");
  const gone = folder?.startsWith("/gone") === true;
  const sameDisk = folder?.startsWith("/own") === true;
  books.copy = {
    offered: true,
    folder,
    waiting: gone ? 3 : 0,
    oldest_ms: gone ? Date.now() - 120_000 : null,
    current_ms: folder === null ? null : Date.now(),
    warning_key: gone ? "copy.gone" : sameDisk ? "copy.same_disk" : null,
  };
  books.session.sync = { ...books.session.sync, copy_key: books.copy.warning_key };
  emit({ kind: "sync", sync: books.session.sync });
  return books.copy;
}
