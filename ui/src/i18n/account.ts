import type { AccountRemark } from "../bindings/AccountRemark";
import { isKey, t, tell } from "./index.svelte";
import "./later";

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

/** What is good to know of a payment account. */
export function remarkText(gateway: string, { message_key, params, place }: AccountRemark): string {
  const field = place === null ? "" : fieldName(gateway, place);
  return tell(message_key, { ...(params as Record<string, string>), field });
}
