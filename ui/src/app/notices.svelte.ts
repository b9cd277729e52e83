import type { CallError } from "../bindings/CallError";
import { currentLanguage, errorText, type Sentence } from "../i18n/index.svelte";

export type Notice = { id: number; tone: "good" | "warn" | "bad"; say: Sentence };

const SHOWN_MS = 8000;
const AT_MOST = 3;

/** Short notices at the edge of the window, and the voice of the screen reader. */
export class Notices {
  list = $state.raw<Notice[]>([]);
  #uttered = $state.raw({ text: "", language: currentLanguage() });
  #last = 0;

  tell(tone: Notice["tone"], say: Sentence): void {
    const id = ++this.#last;
    const others = this.list.filter((notice) => notice.say() !== say());
    this.list = [...others, { id, tone, say }].slice(-AT_MOST);
    setTimeout(() => this.drop(id), SHOWN_MS);
  }

  failed(error: CallError): void {
    this.tell("bad", () => errorText(error));
  }

  say(text: string): void {
    this.#uttered = { text, language: currentLanguage() };
  }

  /** Content of the live region. A new language does not say again what was said in the old one. */
  get spoken(): string {
    return this.#uttered.language === currentLanguage() ? this.#uttered.text : "";
  }

  drop(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }
}
