import type { OrderSummary } from "../bindings/OrderSummary";
import type { OrderView } from "../bindings/OrderView";
import type { Stage } from "../bindings/Stage";
import type { Host } from "../platform/host";
import { isOpen, mayFollow } from "./stages";

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

  /** Asks for the list. What was seen of an order while it was asked is newer than its line. */
  async refresh(): Promise<void> {
    const asked = this.#looks;
    this.list = await this.#host.call("orders", null);
    for (const { view, at } of this.#seen.values()) if (at > asked) this.#enlist(view);
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
    const { answer, newer } = await this.#answered(call);
    this.current = newer ?? answer;
    if (newer === null) this.#take(answer);
    return this.current;
  }

  /** As `ask`, for an order that stays where it is. */
  async lookAgain(call: () => Promise<OrderView>): Promise<void> {
    const { answer, newer } = await this.#answered(call);
    if (newer === null) this.#take(answer);
  }

  leave(): void {
    this.current = null;
  }

  /** The answer of a call, and what was seen of the order after the call was made. */
  async #answered(call: () => Promise<OrderView>) {
    const asked = this.#looks;
    const answer = await call();
    const seen = this.#seen.get(answer.id);
    return { answer, newer: seen !== undefined && seen.at > asked ? seen.view : null };
  }

  #take(order: OrderView): void {
    const before = this.#seen.get(order.id)?.view.stage ?? this.#listed(order.id)?.stage;
    if (before !== undefined && !mayFollow(before, order.stage)) return;
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
    const { channel, parts, loose_cash, stage, provisional, opened_at_ms } = order;
    const line: OrderSummary = {
      ...{ id, order_no, member_id, member, pay_fen, bonus_fen },
      ...{ channel, parts, loose_cash, stage, provisional, opened_at_ms },
    };
    this.list =
      this.#listed(id) === undefined
        ? [line, ...this.list]
        : this.list.map((known) => (known.id === id ? line : known));
  }
}
