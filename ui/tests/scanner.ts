import { inTextField } from "../src/app/keys";

/** The pause before every key, or before the key of each place. */
export type Pace = number | ((place: number) => number);

/** A scanner: a keyboard that types at its own pace and ends with Enter. */
export function scan(text: string, pace: Pace = 1) {
  keys(text, pace, ["Enter"]);
}

/** Well after the last key of a hand. */
const soon = () => Math.round(performance.now()) + 1_600;

export function keys(text: string, pace: Pace = 1, end: string[] = [], started = soon()) {
  let at = started;
  for (const [place, key] of [...text, ...end].entries()) {
    at += typeof pace === "number" ? pace : pace(place);
    const event = new KeyboardEvent("keydown", {
      ...{ key, bubbles: true, cancelable: true },
      code: codeOf(key),
    });
    Object.defineProperty(event, "timeStamp", { value: at });
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
