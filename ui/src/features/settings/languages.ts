import type { Language } from "../../bindings/Language";

/** Each language in its own words, so that it is found by whoever reads no other. */
export const LANGUAGES: { value: Language; label: string; lang: string }[] = [
  { value: "zh-CN", label: "简体中文", lang: "zh-CN" },
  { value: "en", label: "English", lang: "en" },
];
