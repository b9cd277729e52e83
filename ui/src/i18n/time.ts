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

/** 12 月 3 日, with its year unless it is this one. */
export function day(at: number): string {
  if (dayOf(at).slice(0, 4) === dayOf(Date.now()).slice(0, 4))
    return format(at, "day", { day: "numeric", month: "short" });
  return format(at, "date", { day: "numeric", month: "short", year: "numeric" });
}

/** As people say it: 今天 14:03, 昨天 09:10, 11 月 8 日. */
export function said(at: number, now: number): string {
  const today = dayOf(now);
  if (dayOf(at) === today) return t("time.today", { clock: clock(at) });
  if (dayOf(at) === dayOf(now - 86_400_000)) return t("time.yesterday", { clock: clock(at) });
  return day(at);
}

/** 12 月 3 日 23:50: beside business days, which end after midnight and have the same names. */
export const dated = (at: number) => `${day(at)} ${clock(at)}`;

/** 03:12 left until `at`; 00:00 when past. */
export function countdown(at: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((at - now) / 1000));
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
