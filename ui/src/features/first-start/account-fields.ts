import type { MerchantAccountView } from "../../bindings/MerchantAccountView";

/** The fields in the order of the contract, each with its name in what is wrong with it. */
export const ACCOUNT_FIELDS = [
  ["acquirer", "acquirer"],
  ["forwarding", "forwarding"],
  ["merchant", "merchant"],
  ["category", "category"],
  ["name", "latin_name"],
  ["city", "city"],
] as const satisfies readonly (readonly [keyof MerchantAccountView, string])[];

export const NO_ACCOUNT: MerchantAccountView = {
  acquirer: "",
  forwarding: "",
  merchant: "",
  category: "",
  name: "",
  city: "",
};

/** What the fields are called in what is wrong with them. */
export const ACCOUNT_NAMES = ACCOUNT_FIELDS.map(([, name]) => name);
