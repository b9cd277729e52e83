/** What kind of keyboard a field asks for. The property of that name is not in every web view. */
const keyboardOf = (field: HTMLInputElement) => field.getAttribute("inputmode") ?? "";

/** Whether figures are typed into it, so that a pad of figures serves it. */
export function takesFigures(target: EventTarget | null): target is HTMLInputElement {
  if (!(target instanceof HTMLInputElement) || target.disabled || target.readOnly) return false;
  return /^(decimal|numeric|tel)$/.test(keyboardOf(target)) || alsoTakesFigures(target);
}

/** Words are typed into it as well: it has its figures where a finger asks for them. */
export const alsoTakesFigures = (field: HTMLInputElement) => field.dataset["figures"] !== undefined;

/** Whether they may have a point. */
export const takesPoint = (field: HTMLInputElement) => keyboardOf(field) === "decimal";

/** Types as a keyboard would: at the caret, in place of what is selected, within the field's length. */
export function typeInto(field: HTMLInputElement, text: string): void {
  const [start, end] = selectionOf(field);
  const length = field.value.length - (end - start) + text.length;
  if (field.maxLength >= 0 && length > field.maxLength) return;
  replace(field, text, start, end);
}

/** Backspace: what is selected, or the character before the caret. */
export function eraseFrom(field: HTMLInputElement): void {
  const [start, end] = selectionOf(field);
  if (start === end && start === 0) return;
  replace(field, "", start === end ? start - 1 : start, end);
}

/** Enter in this field goes to the next one, and does nothing else. */
export const leadsOn = (field: HTMLInputElement) => field.getAttribute("enterkeyhint") === "next";

/** On to the next field of a list, or out of a field that stands alone; Enter there may charge. */
export function leave(field: HTMLInputElement): void {
  const enter = { key: "Enter", code: "Enter", bubbles: true, cancelable: true };
  if (leadsOn(field)) field.dispatchEvent(new KeyboardEvent("keydown", enter));
  else field.blur();
}

function replace(field: HTMLInputElement, text: string, start: number, end: number): void {
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true, data: text }));
}

function selectionOf(field: HTMLInputElement): [number, number] {
  const end = field.value.length;
  return [field.selectionStart ?? end, field.selectionEnd ?? end];
}

type Box = Pick<DOMRect, "left" | "right" | "top" | "bottom">;
export type Corner = "left bottom" | "right bottom" | "left top" | "right top";

const CORNERS: readonly Corner[] = ["left bottom", "right bottom", "left top", "right top"];

/** The first corner of the window where a pad of this size leaves the field in sight. */
export function cornerBeside(
  field: Box,
  pad: { width: number; height: number },
  window: { width: number; height: number },
): Corner {
  const isFree = (corner: Corner) => {
    const beside = corner.startsWith("left")
      ? field.left >= pad.width
      : field.right <= window.width - pad.width;
    const apart = corner.endsWith("bottom")
      ? field.bottom <= window.height - pad.height
      : field.top >= pad.height;
    return beside || apart;
  };
  return CORNERS.find(isFree) ?? "right bottom";
}
