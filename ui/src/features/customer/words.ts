import type { Language } from "../../bindings/Language";
import { fill, type Params } from "../../i18n/lookup";
import en from "../../../messages/customer/en.json";
import zh from "../../../messages/customer/zh-CN.json";

export type CustomerKey = keyof typeof zh;

/** The display's own few words: it must not load those of the whole counter. */
const CATALOGUES: Record<Language, Record<CustomerKey, string>> = { "zh-CN": zh, en };

export const words =
  (language: Language) =>
  (key: CustomerKey, params: Params = {}): string =>
    fill(CATALOGUES[language][key], params, new Intl.PluralRules(language));
