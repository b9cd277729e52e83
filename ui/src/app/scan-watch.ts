import { inTextField } from "./keys";
import { follow, SILENCE, type Burst, type Rhythm } from "./scan-rhythm";

/** What a burst finds before its first key, to be put back once it proves to be a burst. */
type Before = { field: Snapshot | null; undo: () => void };
type Snapshot = { field: HTMLInputElement; value: string; start: number; end: number };

type Parts = {
  rhythm: () => Rhythm;
  /** Remembers what keys may change outside text fields; the answer puts it back. */
  remember: () => () => void;
  /**
   * Takes a scan. Answers false where its text belongs to the field that had the keyboard;
   * `continues` says that something stood in it already.
   */
  scanned: (text: string, field: HTMLInputElement | null, continues: boolean) => Promise<boolean>;
  /** Whether a text of several lines must not keep this scan. */
  refuses: (text: string) => boolean;
};

/** A burst into several lines, and what stood there before it. */
type LineBurst = { area: HTMLTextAreaElement; burst: Burst; value: string; caret: number };

const SETTLE_AFTER_MS = 20;

/**
 * Keeps scans out of text fields and away from the keys of a screen. The first keys of a burst
 * cannot be told from a hand's and pass; they are taken back when the burst is known for one, and
 * all that follow are held. A burst that no Enter ends was a quick hand after all: it is typed
 * again.
 */
export class ScanWatch {
  #burst: Burst = SILENCE;
  #before: Before | null = null;
  #keys: KeyboardEvent[] = [];
  #held = false;
  #lines: LineBurst | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Our own events, which are no news. */
  readonly #typedAgain = new WeakSet<Event>();
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** To be asked about every key before anybody else. */
  onkeydown = (event: KeyboardEvent): void => {
    if (this.#typedAgain.has(event)) return;
    const rhythm = this.#parts.rhythm();
    if (event.target instanceof HTMLTextAreaElement)
      return this.#inLines(event, event.target, rhythm);
    const free = !event.isComposing && !event.repeat;
    const plain = free && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (!plain || this.#hasMoved(event)) this.release();
    if (!plain) return;
    const earlier = this.#burst;
    const { burst, verdict } = follow(earlier, { key: event.key, at: event.timeStamp }, rhythm);
    if (burst === earlier) return;
    if (verdict === "scan") {
      swallow(event);
      this.#take(earlier.text);
      return;
    }
    if (burst.text.length <= 1) this.release();
    this.#burst = burst;
    if (burst.text === "") return;
    if (this.#before === null)
      this.#before = { field: snapshotOf(document.activeElement), undo: this.#parts.remember() };
    else if (this.#before.field === null && !this.#held)
      this.#before.field = joined(document.activeElement, earlier.text);
    this.#keys.push(event);
    if (verdict === "key") return;
    swallow(event);
    if (!this.#held) this.#takeBack();
    this.#held = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.release(), rhythm.gapMaxMs + SETTLE_AFTER_MS);
  };

  /** Nothing more comes in this rhythm: what was held is typed as a hand would have. */
  release = (): void => {
    const keys = this.#held ? this.#keys : [];
    const field = this.#before?.field?.field ?? null;
    this.#forget();
    for (const key of keys) this.#typeAgain(key, field);
  };

  /**
   * Several lines are keys and certificates, which go nowhere else and may be scanned into place. A
   * payment code is none of them, and is taken out again.
   */
  #inLines(event: KeyboardEvent, area: HTMLTextAreaElement, rhythm: Rhythm): void {
    this.release();
    const now = { area, burst: SILENCE, value: area.value, caret: area.selectionStart };
    const earlier = this.#lines?.area === area ? this.#lines : now;
    const { burst, verdict } = follow(
      earlier.burst,
      { key: event.key, at: event.timeStamp },
      rhythm,
    );
    this.#lines = { ...(burst.text.length <= 1 ? now : earlier), burst };
    const { text } = earlier.burst;
    if (verdict !== "scan" || !this.#parts.refuses(text)) return;
    swallow(event);
    area.value = earlier.value;
    area.setSelectionRange(earlier.caret, earlier.caret);
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    void this.#parts.scanned(text, null, false);
  }

  #take(text: string): void {
    const keys = this.#keys;
    const { field = null, value = "" } = this.#before?.field ?? {};
    this.#forget();
    void this.#parts.scanned(text, field, value !== "").then((taken) => {
      if (taken) return;
      for (const key of keys) this.#typeAgain(key, field);
      this.#enter(field);
    });
  }

  /** A key that arrives elsewhere begins anew. */
  #hasMoved(event: KeyboardEvent): boolean {
    const field = this.#before?.field?.field;
    return field !== undefined && event.target !== field;
  }

  #takeBack(): void {
    const { field, undo } = this.#before ?? { field: null, undo: () => undefined };
    if (field !== null && field.field.value !== field.value) {
      field.field.value = field.value;
      field.field.setSelectionRange(field.start, field.end);
      field.field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    undo();
  }

  #typeAgain({ key, code, shiftKey }: KeyboardEvent, field: HTMLInputElement | null): void {
    const target = field?.isConnected ? field : (document.activeElement ?? document.body);
    if (!this.#send(target, { key, code, shiftKey })) return;
    // A key may give the keyboard to a field, which then gets its character.
    const into = snapshotOf(target) ?? snapshotOf(document.activeElement);
    if (into === null) return;
    const { maxLength, value } = into.field;
    if (maxLength >= 0 && value.length - (into.end - into.start) >= maxLength) return;
    into.field.setRangeText(key, into.start, into.end, "end");
    into.field.dispatchEvent(new InputEvent("input", { bubbles: true, data: key }));
  }

  #enter(field: HTMLInputElement | null): void {
    const target = field?.isConnected ? field : document.body;
    if (this.#send(target, { key: "Enter", code: "Enter" })) field?.form?.requestSubmit();
  }

  #send(target: Element, init: KeyboardEventInit): boolean {
    const event = new KeyboardEvent("keydown", { ...init, bubbles: true, cancelable: true });
    this.#typedAgain.add(event);
    return target.dispatchEvent(event);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#burst = SILENCE;
    this.#before = null;
    this.#keys = [];
    this.#held = false;
  }
}

function swallow(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function snapshotOf(target: Element | null): Snapshot | null {
  if (!(target instanceof HTMLInputElement) || !inTextField(target)) return null;
  const { value } = target;
  const [start, end] = [target.selectionStart, target.selectionEnd];
  return { field: target, value, start: start ?? value.length, end: end ?? value.length };
}

/** A field that an earlier key of the burst gave the keyboard to, as it was before that. */
function joined(target: Element | null, burst: string): Snapshot | null {
  const now = snapshotOf(target);
  if (now === null) return null;
  let leaked = burst.length;
  while (leaked > 0 && !now.value.endsWith(burst.slice(-leaked))) leaked -= 1;
  const value = now.value.slice(0, now.value.length - leaked);
  return { ...now, value, start: value.length, end: value.length };
}
