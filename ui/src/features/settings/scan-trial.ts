import type { Rhythm } from "../../app/scan-rhythm";

/** What was typed or scanned to try the rhythm. */
export type Trial = {
  characters: number;
  /** Between two keys, Enter included, in milliseconds. */
  pausesMs: number[];
  /** What the counter would take it for, and why it is no scan. */
  verdict: "scan" | "too_slow" | "too_short";
};

/** A trial of keys that went down at these times, the last of them Enter. */
export function trialOf(keysAt: number[], rhythm: Rhythm): Trial {
  const pausesMs = keysAt.slice(1).map((at, before) => at - (keysAt[before] ?? at));
  const characters = Math.max(keysAt.length - 1, 0);
  const isQuick = pausesMs.every((pause) => pause <= rhythm.gapMaxMs);
  if (!isQuick) return { characters, pausesMs, verdict: "too_slow" };
  return { characters, pausesMs, verdict: characters < rhythm.keysMin ? "too_short" : "scan" };
}

/** Whole milliseconds, rounded up: what the setting must at least be for this scanner. */
export const longestPauseMs = ({ pausesMs }: Trial): number => Math.ceil(Math.max(0, ...pausesMs));
