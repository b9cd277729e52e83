import type { CallError } from "../bindings/CallError";
import type { ReceiptBack } from "../bindings/ReceiptBack";
import type { Host } from "../platform/host";
import { asCallError } from "./failure";

/** Receipts of a lost terminal, scanned one after another; kept until the window closes. */
export class ReceiptsBack {
  open = $state(false);
  /** The last one first; the same receipt once. */
  list = $state.raw<readonly ReceiptBack[]>([]);
  /** Not answered by the server yet, and why. */
  unsent = $state.raw<readonly string[]>([]);
  failure = $state.raw<CallError | null>(null);
  /** What was scanned and is no receipt, until the next one is. */
  stray = $state(false);
  busy = $state(false);

  readonly news = $derived(this.list.filter(({ standing }) => standing === "new"));
  readonly newFen = $derived(this.news.reduce((sum, { amount_fen }) => sum + (amount_fen ?? 0), 0));

  readonly #host: Host;
  /** A quick hand scans the next one before the last is answered. */
  #turn: Promise<void> = Promise.resolve();

  constructor(host: Host) {
    this.#host = host;
  }

  show(): void {
    this.open = true;
    this.stray = false;
  }

  close(): void {
    this.open = false;
  }

  take(text: string): Promise<void> {
    this.stray = false;
    this.#turn = this.#turn.then(() => this.#give(text));
    return this.#turn;
  }

  /** Gives everything again that was not answered. */
  async again(): Promise<void> {
    for (const text of this.unsent) await this.take(text);
  }

  async #give(text: string): Promise<void> {
    this.busy = true;
    try {
      this.#answered(await this.#host.call("bring_back", { text }), text);
    } catch (reason) {
      this.failure = asCallError(reason);
      if (!this.unsent.includes(text)) this.unsent = [...this.unsent, text];
    } finally {
      this.busy = false;
    }
  }

  /** What came first stays said: the second scan of a receipt only finds what the first one did. */
  #answered(back: ReceiptBack, text: string): void {
    this.unsent = this.unsent.filter((other) => other !== text);
    if (this.unsent.length === 0) this.failure = null;
    const before = this.list.find(({ id }) => id === back.id);
    const said = before?.standing === "new" && back.standing === "known" ? before : back;
    this.list = [said, ...this.list.filter(({ id }) => id !== back.id)];
  }
}
