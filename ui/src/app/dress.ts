import type { Settings } from "../bindings/Settings";
import type { Language } from "../bindings/Language";

type Looks = Pick<Settings, "language" | "theme" | "type_percent">;

const KEPT = "looks";
const systemDark = matchMedia("(prefers-color-scheme: dark)");
let worn: Looks = { language: "zh-CN", theme: "system", type_percent: 100 };

function apply(): void {
  const dark = worn.theme === "dark" || (worn.theme === "system" && systemDark.matches);
  const root = document.documentElement;
  root.dataset["theme"] = dark ? "dark" : "light";
  root.style.fontSize = `${worn.type_percent}%`;
}

/** Theme and type size, at once and without reload. */
export function dress(looks: Looks): void {
  worn = looks;
  apply();
}

/** Keeps the looks for the first frame of the next start. The counter's settings stay the truth. */
export function remember({ language, theme, type_percent }: Looks): void {
  localStorage.setItem(KEPT, JSON.stringify({ language, theme, type_percent }));
}

/** Dresses the first frame and says in which language it speaks. */
export function dressFirstFrame(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept !== null) {
    try {
      worn = { ...worn, ...(JSON.parse(kept) as Partial<Looks>) };
    } catch {
      localStorage.removeItem(KEPT);
    }
  }
  apply();
  systemDark.addEventListener("change", apply);
  return worn.language === "en" ? "en" : "zh-CN";
}
