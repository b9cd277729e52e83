import type { Desk } from "../../app/desk.svelte";
import { asCallError } from "../../app/failure";
import type { CallError } from "../../bindings/CallError";
import type { SetUp } from "../../bindings/SetUp";
import { errorText } from "../../i18n/index.svelte";

/** One screen of the first start: its answer, and what was wrong with the last one. */
export class Making {
  busy = $state(false);
  #wrong = $state.raw<CallError | null>(null);
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Whether the answer was taken. */
  async answer(answer: SetUp): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.#wrong = null;
    try {
      this.#desk.entered(await this.#desk.call("set_up", answer));
      if (this.#desk.boot?.state.kind === "ready") await this.#desk.refreshSession();
      return true;
    } catch (reason) {
      this.#wrong = asCallError(reason);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** What is wrong with a field. */
  wrong(field: string): string | null {
    const error = this.#wrong;
    return error?.params["field"] === field ? errorText(error) : null;
  }

  /** What is wrong and belongs to none of the fields. */
  trouble(...fields: string[]): string | null {
    const error = this.#wrong;
    if (error === null || fields.includes(error.params["field"] ?? "")) return null;
    return errorText(error);
  }
}
