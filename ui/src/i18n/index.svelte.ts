import type { CallError } from "../bindings/CallError";
import type { Language } from "../bindings/Language";
import en from "../../messages/en.json";
import zh from "../../messages/zh-CN.json";
import { fill, type Params } from "./lookup";

export type MessageKey = keyof typeof zh;

const CATALOGUES: Record<Language, Record<MessageKey, string>> = { "zh-CN": zh, en };

let language = $state<Language>("zh-CN");
const plural = $derived(new Intl.PluralRules(language));

export function currentLanguage(): Language {
  return language;
}

export function speak(next: Language): void {
  language = next;
  document.documentElement.lang = next;
}

/** The sentence for `key` in the language of the screen. */
export function t(key: MessageKey, params: Params = {}): string {
  return fill(CATALOGUES[language][key], params, plural);
}

function isKey(key: string): key is MessageKey {
  return Object.hasOwn(zh, key);
}

/** For keys that come from the counter. An unknown one is shown with its key, for support. */
export function tell(key: string, params: Params = {}): string {
  return isKey(key) ? t(key, params) : t("error.unnamed", { key });
}

/** The sentence of a refusal. */
export function errorText(error: CallError): string {
  return tell(error.message_key, error.params as Params);
}
