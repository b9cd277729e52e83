import { inTextField } from "../src/app/keys";

/** A scanner: a keyboard that types at its own pace and ends with Enter. */
export function scan(text: string, gapMs = 1) {
  keys(text, gapMs, ["Enter"]);
}

export function keys(text: string, gapMs = 1, end: string[] = []) {
  // Well after the last key of a hand.
  let at = performance.now() + 1_000;
  for (const key of [...text, ...end]) {
    const event = new KeyboardEvent("keydown", {
      ...{ key, bubbles: true, cancelable: true },
      code: codeOf(key),
    });
    Object.defineProperty(event, "timeStamp", { value: (at += gapMs) });
    const target = document.activeElement ?? document.body;
    // As a browser does where nobody prevents it.
    if (!target.dispatchEvent(event) || key === "Enter") continue;
    const field = document.activeElement;
    if (!takesText(field)) continue;
    if (field.maxLength >= 0 && field.value.length >= field.maxLength) continue;
    field.value += key;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

const takesText = (field: Element | null): field is HTMLInputElement | HTMLTextAreaElement =>
  field !== null && inTextField(field);

function codeOf(key: string): string {
  if (/^\d$/.test(key)) return `Digit${key}`;
  if (/^[a-z]$/i.test(key)) return `Key${key.toUpperCase()}`;
  return key === "Enter" ? "Enter" : "Minus";
}
