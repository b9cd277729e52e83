import { Channel, invoke } from "@tauri-apps/api/core";

import type { CustomerView } from "../bindings/CustomerView";

/** Hands over what the customer's display is to show, now and whenever it changes. */
export type CustomerFeed = (show: (view: CustomerView) => void) => Promise<void>;

/** The desktop shell. The display has this one way to it. */
export const tauriFeed: CustomerFeed = (show) => {
  const views = new Channel<CustomerView>();
  views.onmessage = show;
  return invoke("follow_customer", { views });
};
