import { inTextField, isComposed } from "./keys";
import {
  FINGERS_MIN_MS,
  follow,
  OF_NO_HAND,
  RHYTHM,
  SILENCE,
  STALL_MAX_MS,
  type Burst,
  type Rhythm,
} from "./scan-rhythm";

/** What a burst finds before its first key, to be put back once it proves to be a burst. */
type Before = { field: Snapshot | null; undo: () => void };
type Snapshot = { field: HTMLInputElement; value: string; start: number; end: number };

/**
 * What characters do where no text field has the keyboard: find their way into one, fill a form that
 * can be put back, or answer and pay.
 */
export type Weight = "light" | "form" | "answer";

type Parts = {
  rhythm: () => Rhythm;
  weight: () => Weight;
  /** Remembers what keys may change outside text fields; the answer puts it back. */
  remember: () => () => void;
  /**
   * Takes a scan. Answers false where its text belongs to the field that had the keyboard;
   * `continues` says that it may be the quick end of what a hand began there.
   */
  scanned: (text: string, field: HTMLInputElement | null, continues: boolean) => Promise<boolean>;
  /** Whether a text of several lines must not keep this scan. */
  refuses: (text: string) => boolean;
  /** Keys that were no hand's were no scan either; none of them was pressed. */
  brokenOff: () => void;
  /** An input method took keys that were no hand's: nobody knows any more what was scanned. */
  composed: () => void;
};

/** A burst into several lines, and what stood there before it. */
type LineBurst = { area: HTMLTextAreaElement; burst: Burst; value: string; caret: number };

const SETTLE_AFTER_MS = 20;
/** So long the key of an answer waits for what may follow it. */
const ANSWER_AFTER_MS = 80;

/**
 * Keeps scans out of text fields and away from the keys of a screen. The first keys of a burst
 * cannot be told from a hand's and pass; they are taken back when the burst is known for one, and
 * all that follow are held. A burst that no Enter ends was a quick hand after all: it is typed
 * again, unless it would have pressed keys of a screen. When keys came is what their events say: a
 * busy machine hands them on late, and then timers fire before keys that came in time.
 */
export class ScanWatch {
  #burst: Burst = SILENCE;
  #before: Before | null = null;
  #keys: KeyboardEvent[] = [];
  #held = false;
  /** Of the keys of this burst; `light` where a text field had the keyboard. */
  #weight: Weight = "light";
  /** All of them so far came closer together than fingers do. */
  #close = true;
  /** Keys of an answer that may be the first of a burst. */
  #waiting: KeyboardEvent[] = [];
  #lines: LineBurst | null = null;
  /** Keys that an input method took, each soon after the one before. */
  #composed = { keys: 0, at: Number.NEGATIVE_INFINITY };
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
    if (isComposed(event)) this.#compose(event);
    const rhythm = this.#parts.rhythm();
    if (event.target instanceof HTMLTextAreaElement)
      return this.#inLines(event, event.target, rhythm);
    const free = !isComposed(event) && !event.repeat;
    const plain = free && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (!plain || this.#hasMoved(event)) this.release();
    if (!plain) return;
    const earlier = this.#burst;
    const timed = { key: event.key, at: event.timeStamp };
    const { burst, verdict } = follow(earlier, timed, this.#pace(event, rhythm));
    if (burst === earlier) return;
    if (verdict === "scan") {
      swallow(event);
      if (!this.#held) this.#takeBack();
      if (earlier.text.length >= rhythm.keysMin) return this.#take(earlier.text);
      this.#refuse();
      return this.#forget();
    }
    if (burst.text.length <= 1) this.#begin(event);
    else this.#close &&= burst.at - earlier.at <= FINGERS_MIN_MS;
    this.#burst = burst;
    if (burst.text === "") return;
    if (this.#before === null)
      this.#before = { field: snapshotOf(document.activeElement), undo: this.#parts.remember() };
    else if (this.#before.field === null && !this.#held)
      this.#before.field = joined(document.activeElement, earlier.text);
    this.#keys.push(event);
    if (verdict === "key") return this.#mayAnswer(event);
    swallow(event);
    if (!this.#held) this.#takeBack();
    this.#held = true;
    const { gapMaxMs } = this.#pace(event, rhythm);
    this.#after(gapMaxMs + SETTLE_AFTER_MS, this.#letGo);
  };

  /** Nothing more comes in this rhythm: what was held is typed as a hand would have. */
  release = (): void => {
    this.#letGo();
    this.#forget();
  };

  /** Keys that come later and belong to these by their time still find what was before them. */
  #letGo = (): void => {
    if (this.#held && this.#weight !== "light") return this.#refuse();
    const keys = this.#held ? this.#keys : this.#waiting;
    const field = this.#before?.field?.field ?? null;
    [this.#held, this.#waiting] = [false, []];
    for (const key of keys) this.#typeAgain(key, field);
  };

  #begin(event: KeyboardEvent): void {
    this.release();
    const { target } = event;
    const native = event.key === " " || target instanceof HTMLSelectElement;
    this.#weight = native || inTextField(target) ? "light" : this.#parts.weight();
  }

  /** Keys of a screen tell themselves from a scan by how few they are, however slowly they come. */
  #pace({ target }: KeyboardEvent, rhythm: Rhythm): Rhythm {
    if (this.#weight === "light") return rhythm;
    if (this.#held) return { gapMaxMs: STALL_MAX_MS, keysMin: 1 };
    // A key of the screen gave the keyboard to a field, where a hand may write as long as it likes.
    if (inTextField(target)) return rhythm;
    const stalls = this.#close && this.#burst.text.length > 1;
    const gapMaxMs = stalls ? STALL_MAX_MS : Math.max(rhythm.gapMaxMs, OF_NO_HAND.gapMaxMs);
    return { ...OF_NO_HAND, gapMaxMs };
  }

  /** What cannot be put back waits a moment too short to be noticed. */
  #mayAnswer(event: KeyboardEvent): void {
    if (this.#weight !== "answer" || inTextField(event.target)) return;
    swallow(event);
    this.#waiting.push(event);
    this.#after(ANSWER_AFTER_MS, this.#letGo);
  }

  /** Told once for each scan; a key that is held down is none. */
  #compose({ repeat, timeStamp: at }: KeyboardEvent): void {
    if (repeat) return;
    const isClose = at - this.#composed.at <= FINGERS_MIN_MS;
    this.#composed = { keys: isClose ? this.#composed.keys + 1 : 1, at };
    if (this.#composed.keys === RHYTHM.keysMin) this.#parts.composed();
  }

  #refuse(): void {
    this.#held = false;
    this.#waiting = [];
    this.#parts.brokenOff();
  }

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
    const before = this.#before?.field ?? null;
    const field = before?.field ?? null;
    // No hand's keys are all that close, whatever it wrote before.
    const continues = !this.#close && before !== null && isKept(before);
    this.#forget();
    void this.#parts.scanned(text, field, continues).then((taken) => {
      if (taken) return;
      for (const key of keys) this.#typeAgain(key, field);
      this.#enter(field);
    });
  }

  /** A key that arrives elsewhere begins anew. */
  #hasMoved(event: KeyboardEvent): boolean {
    const field = this.#before?.field?.field;
    return field?.isConnected === true && event.target !== field;
  }

  #takeBack(): void {
    this.#waiting = [];
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

  #after(ms: number, then: () => void, isLast = false): void {
    clearTimeout(this.#timer);
    const due = performance.now() + ms;
    this.#timer = setTimeout(() => {
      const isLate = performance.now() - due > SETTLE_AFTER_MS;
      // Keys that came in time may wait behind this: they go first.
      if (isLate && !isLast) this.#after(SETTLE_AFTER_MS, then, true);
      else then();
    }, ms);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#burst = SILENCE;
    this.#before = null;
    this.#keys = [];
    this.#held = false;
    this.#waiting = [];
    this.#weight = "light";
    this.#close = true;
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

/** Something stays in the field beside what is typed into it now. */
const isKept = ({ value, start, end }: Snapshot): boolean => end - start < value.length;

/** A field that an earlier key of the burst gave the keyboard to, as it was before that. */
function joined(target: Element | null, burst: string): Snapshot | null {
  const now = snapshotOf(target);
  if (now === null) return null;
  let leaked = burst.length;
  while (leaked > 0 && !now.value.endsWith(burst.slice(-leaked))) leaked -= 1;
  const value = now.value.slice(0, now.value.length - leaked);
  return { ...now, value, start: value.length, end: value.length };
}
