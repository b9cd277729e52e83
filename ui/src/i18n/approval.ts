import type { OrderView } from "../bindings/OrderView";
import { t } from "./index.svelte";

/** Who let it, and whether that was who took the money. */
export const approvedBy = ({ released_alone }: OrderView, name: string): string =>
  t(released_alone ? "success.released_alone" : "success.approved", { name });
