import type { CallError } from "../bindings/CallError";
import type { OrderFilter } from "../bindings/OrderFilter";
import type { OrderList } from "../bindings/OrderList";
import type { Host } from "../platform/host";
import { asCallError } from "./failure";

const EVERYTHING_TODAY: OrderFilter = {
  period: "today",
  from: "",
  to: "",
  group: null,
  channel: null,
  cashier_id: null,
  text: "",
};

/** The list of orders and what was asked of it, kept while other screens come and go. */
export class OrderBook {
  filter = $state.raw<OrderFilter>(EVERYTHING_TODAY);
  list = $state.raw<OrderList | null>(null);
  /** What is wrong with what was asked; the list stays as it was. */
  error = $state.raw<CallError | null>(null);

  /** When the list's days stop being what they are called, by this machine's clock. */
  staleAt = $state.raw(Infinity);

  readonly #host: Host;
  #asked = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** True while something besides the day narrows the list. */
  get narrowed(): boolean {
    const { period: _, from: __, to: ___, ...rest } = this.filter;
    return Object.values(rest).some((value) => value !== null && value !== "");
  }

  async ask(part: Partial<OrderFilter>): Promise<void> {
    this.filter = { ...this.filter, ...part };
    await this.refresh();
  }

  clear(): Promise<void> {
    return this.ask(EVERYTHING_TODAY);
  }

  async refresh(): Promise<void> {
    const asked = ++this.#asked;
    try {
      const list = await this.#host.call("find_orders", this.filter);
      if (asked !== this.#asked) return;
      [this.list, this.error] = [list, null];
      this.staleAt = Date.now() + list.today_left_ms;
    } catch (reason) {
      if (asked === this.#asked) this.error = asCallError(reason);
    }
  }
}
