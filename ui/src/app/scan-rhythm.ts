/**
 * Tells a scanner from hands. A scanner is a keyboard that types its whole text in one burst and
 * ends it with Enter; hands pause longer between keys of their choice.
 */
export type Rhythm = {
  /** Longest pause between two keys of one scan, in milliseconds. */
  gapMaxMs: number;
  /** So many keys in this rhythm come from no hand. */
  keysMin: number;
};

/** Slow scanners take 30 to 50 ms for a key, and a busy machine hands keys on late. */
export const RHYTHM: Rhythm = { gapMaxMs: 80, keysMin: 6 };

/**
 * What a busy machine or a slow scanner makes of a scan, where no text field has the keyboard: keys
 * of a screen are pressed one or two at a time, then Enter. More of them in a row are no hand's.
 */
export const OF_NO_HAND: Rhythm = { gapMaxMs: 250, keysMin: 5 };
/** Once they are no hand's, a pause as long as this is still the scan's. */
export const STALL_MAX_MS = 1_500;
/** Two keys as close as this are a scanner's, whatever follows them. */
export const FINGERS_MIN_MS = 35;
/** A key of a screen gave the keyboard to a field: so many characters are no amount. */
export const NO_AMOUNT_MIN = 12;

/** A key going down, and when, in milliseconds of any one clock. */
export type TimedKey = { key: string; at: number };

/** Keys that followed each other in a scanner's rhythm, and when the last one came. */
export type Burst = { text: string; at: number };

export const SILENCE: Burst = { text: "", at: Number.NEGATIVE_INFINITY };

/**
 * `key`: may be a hand's, and is left alone. `burst`: too quick for a hand, Enter still to come.
 * `scan`: Enter has ended a burst.
 */
export type Verdict = "key" | "burst" | "scan";

/** What barcodes and QR codes say: every printable character of ASCII. */
const SCANNABLE = /^[\x20-\x7e]$/;
/** Go down around a character and mean nothing by themselves. */
const MODIFIERS: readonly string[] = ["Shift", "CapsLock", "NumLock"];

/** The burst after one more key, and what that key is. */
export function follow(
  burst: Burst,
  { key, at }: TimedKey,
  rhythm: Rhythm = RHYTHM,
): { burst: Burst; verdict: Verdict } {
  if (MODIFIERS.includes(key)) return { burst, verdict: "key" };
  const inRhythm = burst.text !== "" && at - burst.at <= rhythm.gapMaxMs;
  const isBurst = (text: string) => text.length >= rhythm.keysMin;
  if (key === "Enter") {
    const verdict = inRhythm && isBurst(burst.text) ? "scan" : "key";
    return { burst: SILENCE, verdict };
  }
  if (!SCANNABLE.test(key)) return { burst: SILENCE, verdict: "key" };
  const text = inRhythm ? burst.text + key : key;
  return { burst: { text, at }, verdict: isBurst(text) ? "burst" : "key" };
}
