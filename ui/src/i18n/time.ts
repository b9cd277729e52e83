import { currentLanguage, t } from "./index.svelte";

/** Shops keep China time whatever the machine says (docs: domain, conventions). */
const ZONE = "Asia/Shanghai";
const made = new Map<string, Intl.DateTimeFormat>();

function format(at: number, name: string, options: Intl.DateTimeFormatOptions): string {
  const id = `${currentLanguage()} ${name}`;
  let formatter = made.get(id);
  if (formatter === undefined) {
    const locale = currentLanguage() === "en" ? "en-GB" : "zh-CN";
    formatter = new Intl.DateTimeFormat(locale, { timeZone: ZONE, hourCycle: "h23", ...options });
    made.set(id, formatter);
  }
  return formatter.format(at);
}

const dayFormat = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE });
const dayOf = (at: number) => dayFormat.format(at);

export const clock = (at: number) => format(at, "clock", { hour: "2-digit", minute: "2-digit" });

export const clockWithSeconds = (at: number) =>
  format(at, "seconds", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** For hovering: everything. */
export const fullTime = (at: number) =>
  format(at, "full", { dateStyle: "full", timeStyle: "medium" });

/** 12 月 3 日 · 3 Dec */
export const day = (at: number) => format(at, "day", { day: "numeric", month: "short" });

/** As people say it: 今天 14:03, 昨天 09:10, 11 月 8 日. */
export function said(at: number, now: number): string {
  const today = dayOf(now);
  if (dayOf(at) === today) return t("time.today", { clock: clock(at) });
  if (dayOf(at) === dayOf(now - 86_400_000)) return t("time.yesterday", { clock: clock(at) });
  if (dayOf(at).slice(0, 4) === today.slice(0, 4)) return day(at);
  return format(at, "date", { day: "numeric", month: "short", year: "numeric" });
}

/** 03:12 left until `at`; 00:00 when past. */
export function countdown(at: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((at - now) / 1000));
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
