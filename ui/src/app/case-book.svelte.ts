import type { Approval } from "../bindings/Approval";
import type { CallError } from "../bindings/CallError";
import type { CaseList } from "../bindings/CaseList";
import type { OrderView } from "../bindings/OrderView";
import type { Host } from "../platform/host";
import { asCallError } from "./failure";

/** What a person must look at, for those who may. */
export class CaseBook {
  list = $state.raw<CaseList | null>(null);
  /** What is wrong; the list stays as it was. */
  error = $state.raw<CallError | null>(null);
  /** Shown in the rail. */
  readonly count = $derived(this.list?.waiting.length ?? 0);

  readonly #host: Host;
  #asked = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  async refresh(): Promise<void> {
    const asked = ++this.#asked;
    try {
      const list = await this.#host.call("cases", null);
      if (asked === this.#asked) [this.list, this.error] = [list, null];
    } catch (reason) {
      if (asked === this.#asked) this.error = asCallError(reason);
    }
  }

  /** Somebody else is here now, who may see none of it. */
  forget(): void {
    this.#asked += 1;
    [this.list, this.error] = [null, null];
  }

  /** Whether a case is about this order. */
  concerns({ id }: OrderView): boolean {
    return [...(this.list?.waiting ?? [])].some(({ order }) => order?.id === id);
  }

  /** Lets the money of a case be credited. */
  async credit(orderId: string, approval: Approval): Promise<void> {
    await this.#host.call("credit_case", { order_id: orderId, approval });
    await this.refresh();
  }
}
