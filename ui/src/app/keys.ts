import type { KeyMap } from "./shortcuts";

/** The key code of what an input method took. */
const TAKEN = 229;
/**
 * Keys of an input method: Enter chooses Chinese, Esc gives it up. WebKit says of the last one that
 * nothing is composed any more; only its code tells.
 */
export const isComposed = ({ isComposing, keyCode }: KeyboardEvent): boolean =>
  isComposing || keyCode === TAKEN;

const ACTIVATED_BY_ENTER = "button, a, summary, [role=option]";

export function inTextField(target: EventTarget | null): boolean {
  if (target instanceof HTMLTextAreaElement) return true;
  return target instanceof HTMLInputElement && /^(text|search|password|tel)$/.test(target.type);
}

/** Arrow keys choose in it. */
const isChoice = (target: EventTarget | null): boolean =>
  target instanceof HTMLSelectElement ||
  (target instanceof HTMLInputElement && target.type === "radio");

/** Gives the keyboard to the screen, whose letters and Enter a text field would keep. */
export function leaveTextField(): void {
  const field = document.activeElement;
  if (field instanceof HTMLElement && inTextField(field)) field.blur();
}

/** "Escape", "F5", "KeyC", "Digit1" (row and pad alike), "Ctrl+KeyK". */
function nameOf(event: KeyboardEvent): string {
  const place = event.code.replace(/^Numpad(\d)$/, "Digit$1");
  const name = event.key.length > 1 ? event.key : place;
  return event.ctrlKey || event.metaKey ? `Ctrl+${name}` : name;
}

type Options = {
  /** The keys belong to the open dialog. */
  dialog?: boolean;
  /** A text field that takes figures only, so that letters stay keys in it. */
  figures?: EventTarget | null | undefined;
};

/**
 * Runs the screen's key. Keys held down do nothing twice, half-composed Chinese is left alone,
 * a dialog keeps the keyboard to itself, and a text field keeps its characters.
 */
export function onKey(event: KeyboardEvent, keys: KeyMap, options: Options = {}): void {
  if (event.defaultPrevented || event.repeat || isComposed(event) || event.altKey) return;
  const dialogOpen = document.querySelector("dialog[open]") !== null;
  if (dialogOpen !== (options.dialog ?? false)) return;
  const name = nameOf(event);
  const character = event.key.length === 1 && !event.ctrlKey && !event.metaKey;
  const action = keys[name];
  const target = event.target;
  const isKept = inTextField(target) && !(target === options.figures && name.startsWith("Key"));
  if (action === undefined || (character && isKept)) return;
  const native = target instanceof Element && target.closest(ACTIVATED_BY_ENTER) !== null;
  if ((name === "Enter" || name === "Space") && native) return;
  if (name.startsWith("Arrow") && isChoice(target)) return;
  event.preventDefault();
  action(event);
}
