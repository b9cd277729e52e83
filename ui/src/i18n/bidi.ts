/**
 * Letters and digits that are written from right to left, or turn what stands beside them: Hebrew,
 * Arabic and their neighbours. Without one of them a text cannot move anything in our sentences,
 * which go from left to right.
 */
const TURNS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

const [FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE] = ["\u2068", "\u2069"];

/** `text` set apart, so that an amount after an Arabic name stays after it. */
export function apart(text: string): string {
  return TURNS.test(text) ? FIRST_STRONG_ISOLATE + text + POP_DIRECTIONAL_ISOLATE : text;
}

/** From where to where `text` goes from right to left, from its first such letter to its last. */
export function turns(text: string): { start: number; end: number } | null {
  const start = text.search(TURNS);
  if (start < 0) return null;
  const rest = [...text].reverse().join("");
  return { start, end: text.length - rest.search(TURNS) };
}

/** `text` without what {@link apart} adds, as people read it. */
export function asRead(text: string): string {
  return text.replace(/[\u2068\u2069]/g, "");
}
