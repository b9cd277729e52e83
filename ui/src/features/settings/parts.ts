import "../../i18n/later";
import type { MessageKey } from "../../i18n/index.svelte";

/** What the settings are divided into, each with its title, in the order of the list. */
export const PARTS = {
  screen: "settings.screen",
  selling: "settings.selling",
  shop: "settings.shop",
  people: "rules.people",
  receipt: "rules.receipt",
  methods: "rules.methods",
  channels: "set_up.name",
  terminals: "terminals.name",
  printer: "printer.name",
  copy: "copy.name",
} as const satisfies Record<string, MessageKey>;

export type Part = keyof typeof PARTS;

/** What managers alone are shown. */
export const MANAGERS: readonly Part[] = ["channels", "terminals"];
