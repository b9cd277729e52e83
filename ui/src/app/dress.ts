import { accentOf, knownAccent } from "./brand";
import type { AccentView } from "../bindings/AccentView";
import type { Settings } from "../bindings/Settings";
import type { Language } from "../bindings/Language";

type Looks = Pick<Settings, "language" | "theme" | "type_percent"> & { accent: AccentView };

const KEPT = "looks";
const BRANDED = [
  ["--accent", "accent"],
  ["--accent-ink", "ink"],
  ["--accent-soft", "soft"],
  ["--accent-line", "line"],
] as const;
const systemDark = matchMedia("(prefers-color-scheme: dark)");
let worn: Looks = { language: "zh-CN", theme: "system", type_percent: 100, accent: "teal" };

function apply(): void {
  const dark = worn.theme === "dark" || (worn.theme === "system" && systemDark.matches);
  const root = document.documentElement;
  root.dataset["theme"] = dark ? "dark" : "light";
  root.style.fontSize = `${worn.type_percent}%`;
  const brand = worn.accent === "teal" ? null : accentOf(worn.accent, dark ? "dark" : "light");
  for (const [name, part] of BRANDED) {
    if (brand === null) root.style.removeProperty(name);
    else root.style.setProperty(name, brand[part]);
  }
}

/** Theme and type size, at once and without reload. */
export function dress(looks: Looks): void {
  worn = looks;
  apply();
}

/** Keeps the looks for the first frame of the next start. The counter's settings stay the truth. */
export function remember({ language, theme, type_percent, accent }: Looks): void {
  localStorage.setItem(KEPT, JSON.stringify({ language, theme, type_percent, accent }));
}

/** Whether this window was dressed by a session before. */
export const hasLooks = (): boolean => localStorage.getItem(KEPT) !== null;

/** Dresses the first frame and says in which language it speaks. */
export function dressFirstFrame(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept !== null) {
    try {
      const looks = JSON.parse(kept) as Partial<Looks>;
      worn = { ...worn, ...looks, accent: knownAccent(looks.accent) };
    } catch {
      localStorage.removeItem(KEPT);
    }
  }
  apply();
  systemDark.addEventListener("change", apply);
  return worn.language === "en" ? "en" : "zh-CN";
}
