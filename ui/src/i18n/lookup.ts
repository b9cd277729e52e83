import { apart } from "./bidi";
import { money } from "./money";

export type Params = Record<string, string | number>;

/**
 * Fills `{name}`; `{name_fen}` becomes money; `{count:coupon|coupons}` picks by plural.
 * A text is set apart, whatever its script. A value that is missing stays visible, so that a test and a person see it.
 */
export function fill(text: string, params: Params, plural: Intl.PluralRules): string {
  return text.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one, other) => {
    const value = params[name];
    if (value === undefined) return whole;
    if (one !== undefined) return plural.select(Number(value)) === "one" ? one : other;
    if (name.endsWith("_fen")) return money(Number(value));
    return typeof value === "number" ? value.toLocaleString("en-US") : apart(value);
  });
}
