import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type { CounterEvent } from "../bindings/CounterEvent";
import type { Host } from "./host";

/** The desktop shell. Nothing else imports its API. */
export const tauriHost: Host = {
  call: (name, payload) => invoke("call", { name, payload }),
  listen: async (onEvent) => {
    await listen<CounterEvent>("counter", (event) => onEvent(event.payload));
  },
  openPhone: () => invoke("open_phone"),
  openTraining: (language) => invoke("open_training", { language }),
  showCustomer: (orderId) => invoke("show_customer", { orderId }),
  announce: (order) => invoke("announce", { order }),
  hasVoice: () => invoke("has_voice"),
  tryVoice: () => invoke("try_voice"),
};
