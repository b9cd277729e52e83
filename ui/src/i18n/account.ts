import { isKey, t } from "./index.svelte";

/** The gateway of a payment account. */
export function gatewayName(name: string): string {
  const key = `set_up.gateway.${name}`;
  return isKey(key) ? t(key) : name;
}

/** A field of a payment account; one that only settings files have goes by its own name. */
export function fieldName(gateway: string, place: string): string {
  const key = `set_up.field.${gateway}.${place}`;
  return isKey(key) ? t(key) : place;
}
