import type { Desk } from "../../app/desk.svelte";
import { asCallError } from "../../app/failure";
import type { Approval } from "../../bindings/Approval";
import type { CallError } from "../../bindings/CallError";
import type { RulesChange } from "../../bindings/RulesChange";
import type { ShopRules } from "../../bindings/ShopRules";
import { errorText, t, type Sentence } from "../../i18n/index.svelte";
import { refusedField } from "../approval/refusal";

/** A change that only lacks a manager's number and PIN. */
export type Asked = {
  change: RulesChange;
  /** What the manager allows, in words. */
  what: Sentence;
};

/** The rules of the shop as the settings show them, and the change that is under way. */
export class Rules {
  now = $state.raw<ShopRules | null>(null);
  asked = $state.raw<Asked | null>(null);
  busy = $state(false);
  #wrong = $state.raw<CallError | null>(null);
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async load(): Promise<void> {
    await this.#desk.attempt(async () => {
      this.now = await this.#desk.call("shop_rules", null);
    });
  }

  /** Has a change looked at; what fits is then a manager's to allow. */
  async ask(change: RulesChange, what: Sentence): Promise<void> {
    const refusal = await this.#send(change, null);
    if (refusedField(refusal) !== null) this.asked = { change, what };
    else this.#wrong = refusal;
  }

  /** Makes the change that was asked for. What was wrong with number and PIN comes back. */
  async allow(approval: Approval, ondone: () => void): Promise<CallError | null> {
    if (this.asked === null) return null;
    const refusal = await this.#send(this.asked.change, approval);
    if (refusedField(refusal) !== null) return refusal;
    this.asked = null;
    this.#wrong = refusal;
    if (refusal === null) {
      this.#desk.notices.tell("good", () => t("rules.done"));
      ondone();
    } else {
      // Somebody else's change is shown before the next try.
      await this.load();
    }
    return null;
  }

  dismiss(): void {
    this.asked = null;
  }

  /** What was wrong is of no interest any more. */
  forget(): void {
    this.#wrong = null;
  }

  /** What is wrong with a field. */
  wrong(field: string): string | null {
    const error = this.#wrong;
    return error?.params["field"] === field ? errorText(error) : null;
  }

  /** What is wrong and belongs to none of the fields. */
  trouble(...fields: readonly string[]): string | null {
    const error = this.#wrong;
    if (error === null || fields.includes(error.params["field"] ?? "")) return null;
    return errorText(error);
  }

  /** What stood in the way; null once it was done. */
  async #send(change: RulesChange, approval: Approval | null): Promise<CallError | null> {
    if (this.now === null) return null;
    const { version } = this.now;
    this.busy = true;
    this.#wrong = null;
    try {
      this.now = await this.#desk.call("change_rules", { version, change, approval });
      return null;
    } catch (reason) {
      return asCallError(reason);
    } finally {
      this.busy = false;
    }
  }
}
