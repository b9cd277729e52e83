import type { CallError } from "../bindings/CallError";
import type { MemberView } from "../bindings/MemberView";
import type { NewMember } from "../bindings/NewMember";
import type { NewMemberCheck } from "../bindings/NewMemberCheck";
import type { Host } from "../platform/host";
import { asCallError } from "./failure";

/** What a registration begins with: what was typed, a number or a name; or a card that was scanned. */
export type Begun = { typed?: string; card?: string };

/** One registration: what was typed, what the counter says of it, and the call that makes it so. */
export class Registration {
  name = $state("");
  phone = $state("");
  card = $state("");
  check = $state.raw<NewMemberCheck | null>(null);
  error = $state.raw<CallError | null>(null);
  busy = $state(false);
  /** What is missing is said as well. */
  insisted = $state(false);

  /** Nothing is wrong with a number that is still being typed, nor with a name not yet begun. */
  readonly phoneError = $derived(
    this.check === null || (this.check.phone_begun && !this.insisted) ? null : this.check.phone,
  );
  readonly nameError = $derived(
    this.check === null || (this.name === "" && !this.insisted) ? null : this.check.name,
  );
  readonly cardError = $derived(this.check?.card_no ?? null);

  readonly #host: Host;
  #intent: Promise<string>;
  #asked = 0;
  #checking: Promise<NewMemberCheck | null> = Promise.resolve(null);

  constructor(host: Host, { typed = "", card = "" }: Begun) {
    this.#host = host;
    this.card = card;
    const bare = typed.normalize("NFKC").replace(/[\s-]/g, "");
    if (/^(\+86)?\d{5,}$/.test(bare)) this.phone = typed.trim();
    else if (!/\d/.test(bare)) this.name = typed.trim();
    this.#intent = host.call("new_member_form", null).then(({ intent }) => intent);
    this.look();
  }

  /** Looks at what was typed; an answer to older text is passed over. */
  look(): void {
    this.error = null;
    this.#checking = this.#look();
  }

  /** The answer to the present text. */
  async settled(): Promise<NewMemberCheck | null> {
    return this.#checking;
  }

  /** The cashier wants to go on. */
  insist(): void {
    this.insisted = true;
  }

  /** Registers the member. Asked twice while running, it runs once. */
  async create(): Promise<MemberView | null> {
    if (this.busy) return null;
    this.busy = true;
    this.error = null;
    try {
      return await this.#host.call("create_member", await this.#typed());
    } catch (reason) {
      this.error = asCallError(reason);
      this.#checking = this.#look();
      return null;
    } finally {
      this.busy = false;
    }
  }

  async #look(): Promise<NewMemberCheck | null> {
    const asked = ++this.#asked;
    try {
      const check = await this.#host.call("check_new_member", await this.#typed());
      if (asked !== this.#asked) return null;
      this.check = check;
      return check;
    } catch (reason) {
      if (asked === this.#asked) this.error = asCallError(reason);
      return null;
    }
  }

  async #typed(): Promise<NewMember> {
    const { name, phone, card } = this;
    return { intent: await this.#intent, name, phone, card_no: card };
  }
}
