import type { CallError } from "../bindings/CallError";
import { errorText } from "../i18n/index.svelte";

export type Notice = { id: number; tone: "good" | "warn" | "bad"; text: string };

const SHOWN_MS = 8000;
const AT_MOST = 3;

/** Short notices at the edge of the window, and the voice of the screen reader. */
export class Notices {
  list = $state.raw<Notice[]>([]);
  /** Content of the live region. */
  spoken = $state("");
  #last = 0;

  tell(tone: Notice["tone"], text: string): void {
    const id = ++this.#last;
    this.list = [...this.list.filter((notice) => notice.text !== text), { id, tone, text }].slice(
      -AT_MOST,
    );
    setTimeout(() => this.drop(id), SHOWN_MS);
  }

  failed(error: CallError): void {
    this.tell("bad", errorText(error));
  }

  say(text: string): void {
    this.spoken = text;
  }

  drop(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }
}
