import first from "virtual:sentences/first";

import type { CallError } from "../bindings/CallError";
import type { Language } from "../bindings/Language";
import type zh from "../../messages/zh-CN.json";
import { fill, type Params } from "./lookup";

export type MessageKey = keyof typeof zh;
/** A sentence that is kept: it is said in the language that the screen speaks when it is read. */
export type Sentence = () => string;
type Catalogue = Readonly<Record<MessageKey, string>>;

/** A screen that has sentences of its own brings them before it says one; see `later.ts`. */
let chinese = first as Catalogue;

/** Catalogues beside the first, which comes with the program. */
const LATER: Record<Exclude<Language, "zh-CN">, () => Promise<{ default: Catalogue }>> = {
  en: () => import("../../messages/en.json"),
};
const known = new Map<Language, Catalogue>([["zh-CN", chinese]]);

/** What the screen speaks: language and sentences change in one step, never one before the other. */
let spoken = $state.raw<{ language: Language; catalogue: Catalogue }>({
  language: "zh-CN",
  catalogue: chinese,
});
const plural = $derived(new Intl.PluralRules(spoken.language));
let wanted: Language = "zh-CN";

export function currentLanguage(): Language {
  return spoken.language;
}

/**
 * Speaks `next`, at once where its sentences are here and else when they come; until then everything
 * stays as it is. Of several wishes the last counts.
 */
export function speak(next: Language): Promise<void> {
  wanted = next;
  const catalogue = known.get(next);
  if (catalogue === undefined) return learn(next).then(() => catchUp(next));
  say(next, catalogue);
  return Promise.resolve();
}

/** Fetches the sentences that are not here yet, so that a change of language need not wait. */
export async function learnAll(): Promise<void> {
  for (const language of Object.keys(LATER) as (keyof typeof LATER)[]) await learn(language);
}

async function learn(language: Language): Promise<void> {
  if (language === "zh-CN" || known.has(language)) return;
  known.set(language, (await LATER[language]()).default);
}

function catchUp(next: Language): void {
  const catalogue = known.get(next);
  if (wanted === next && catalogue !== undefined) say(next, catalogue);
}

function say(language: Language, catalogue: Catalogue): void {
  document.documentElement.lang = language;
  if (spoken.language !== language) spoken = { language, catalogue };
}

/** Adds the Chinese sentences of a screen that was not there at the start. */
export function bring(later: Readonly<Record<string, string>>): void {
  chinese = { ...chinese, ...later };
  known.set("zh-CN", chinese);
  if (spoken.language === "zh-CN") spoken = { language: "zh-CN", catalogue: chinese };
}

/** The sentence for `key` in the language of the screen. */
export function t(key: MessageKey, params: Params = {}): string {
  return fill(spoken.catalogue[key], params, plural);
}

export function isKey(key: string): key is MessageKey {
  return Object.hasOwn(chinese, key);
}

/** For keys that come from the counter. An unknown one is shown with its key, for support. */
export function tell(key: string, params: Params = {}): string {
  return isKey(key) ? t(key, params) : t("error.unnamed", { key });
}

/** The sentence of a refusal. What is kept is the refusal, for the language may change. */
export function errorText(error: CallError): string;
export function errorText(error: CallError | null): string | null;
export function errorText(error: CallError | null): string | null {
  return error === null ? null : tell(error.message_key, error.params as Params);
}
