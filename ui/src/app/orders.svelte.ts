import type { OrderSummary } from "../bindings/OrderSummary";
import type { OrderView } from "../bindings/OrderView";
import type { Stage } from "../bindings/Stage";
import type { Host } from "../platform/host";
import { isFinal, isOpen } from "./stages";

/** What changed between two looks at one order. */
export type OrderNews = { order: OrderView; before: Stage | undefined; onScreen: boolean };

/** The order being paid, and those the cashier may come back to. */
export class Orders {
  current = $state.raw<OrderView | null>(null);
  list = $state.raw<OrderSummary[]>([]);
  readonly open = $derived(
    this.list.filter((order) => isOpen(order.stage) && order.id !== this.current?.id),
  );

  readonly #host: Host;
  readonly #news: (news: OrderNews) => void;
  readonly #seen = new Map<string, { view: OrderView; at: number }>();
  #looks = 0;

  constructor(host: Host, news: (news: OrderNews) => void) {
    this.#host = host;
    this.#news = news;
  }

  async refresh(): Promise<void> {
    this.list = await this.#host.call("orders", null);
  }

  /** An event from the counter. */
  heard(order: OrderView): void {
    this.#take(order);
  }

  /**
   * Runs a call that answers with an order and puts that order on the screen. Events heard while
   * it ran are newer than its answer and win.
   */
  async ask(call: () => Promise<OrderView>): Promise<OrderView> {
    const asked = this.#looks;
    const answer = await call();
    const seen = this.#seen.get(answer.id);
    const newer = seen !== undefined && seen.at > asked ? seen.view : answer;
    this.current = newer;
    if (newer === answer) this.#take(answer);
    return newer;
  }

  leave(): void {
    this.current = null;
  }

  #take(order: OrderView): void {
    const before = this.#seen.get(order.id)?.view.stage ?? this.#listed(order.id)?.stage;
    if (before !== undefined && isFinal(before) && !isFinal(order.stage)) return;
    this.#looks += 1;
    this.#seen.set(order.id, { view: order, at: this.#looks });
    const onScreen = this.current?.id === order.id;
    if (onScreen) this.current = order;
    this.#enlist(order);
    if (before !== order.stage) this.#news({ order, before, onScreen });
  }

  #listed(id: string): OrderSummary | undefined {
    return this.list.find((order) => order.id === id);
  }

  #enlist(order: OrderView): void {
    const { id, order_no, member_id, member, pay_fen, bonus_fen } = order;
    const { channel, stage, provisional, opened_at_ms } = order;
    const line: OrderSummary = {
      ...{ id, order_no, member_id, member, pay_fen, bonus_fen },
      ...{ channel, stage, provisional, opened_at_ms },
    };
    this.list =
      this.#listed(id) === undefined
        ? [line, ...this.list]
        : this.list.map((known) => (known.id === id ? line : known));
  }
}
