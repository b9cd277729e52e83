import type { Desk } from "../../app/desk.svelte";
import { bound, type Actions, type KeyMap } from "../../app/shortcuts";
import type { ChannelView } from "../../bindings/ChannelView";
import type { OrderView } from "../../bindings/OrderView";
import type { Stage } from "../../bindings/Stage";
import { isFinal } from "../../app/stages";

const UNDER_WAY: readonly Stage[] = [
  "waiting",
  "charging",
  "user_paying",
  "unknown",
  "reversing",
  "cancelling",
];
/** The channel can be asked now. */
const ASKABLE = UNDER_WAY;
const CANCELLABLE: readonly Stage[] = ["opening", "review", "preparing", "waiting", "user_paying"];

/** Causes after which the same app may be tried once more (errors-to-cashier §2). */
const SAME_AGAIN =
  /^decline\.(code_|card_|balance_short|daily|monthly|single|customer_|not_completed|feature_off|phone_not_reached|closed|reversed|password)/;

/** What the cashier may do with the order on the screen. One call at a time. */
export class Payment {
  busy = $state(false);
  /** The cancel question is open. */
  asking = $state(false);

  readonly #desk: Desk;
  readonly #order: () => OrderView;
  readonly #offline: () => boolean;

  constructor(desk: Desk, order: () => OrderView, offline: () => boolean) {
    this.#desk = desk;
    this.#order = order;
    this.#offline = offline;
  }

  get order(): OrderView {
    return this.#order();
  }

  /** Without the server nobody knows what the customer does with a code that is out. */
  get cutOff(): boolean {
    return this.#offline() && UNDER_WAY.includes(this.order.stage);
  }

  get stage(): Stage {
    return this.cutOff ? "unknown" : this.order.stage;
  }

  get canQuery(): boolean {
    return ASKABLE.includes(this.stage);
  }

  get canCancel(): boolean {
    // A payment code can be reversed; a QR code whose fate is unknown can only be asked about.
    const undoable = this.order.stage === "unknown" && this.order.by_code;
    return CANCELLABLE.includes(this.stage) || (undoable && !this.cutOff);
  }

  get canGiveUp(): boolean {
    return this.stage === "failed";
  }

  /** Methods to try after a failure: the same again where it may help, then the others. */
  get otherChannels(): ChannelView[] {
    if (this.stage !== "failed") return [];
    const { channel, failure } = this.order;
    const offered = this.#desk.topUp.form?.channels ?? [];
    const usable = offered.filter((offer) => offer.available).map((offer) => offer.channel);
    const same = failure === null || SAME_AGAIN.test(failure.message_key);
    const first = usable.filter((offered) => same && offered === channel);
    return [...first, ...usable.filter((other) => other !== channel)];
  }

  query = () => this.#once(() => this.#call("query_payment"));

  /** Money that may be moving deserves a second thought; a mere QR does not. */
  cancel = () => {
    if (!this.canCancel) return;
    if (this.stage === "user_paying" || this.stage === "unknown") this.asking = true;
    else this.giveUp();
  };

  giveUp = () => {
    this.asking = false;
    this.#once(() => this.#call("cancel_order"));
  };

  /** Leaves the order to itself; it stays in the list of open orders. */
  leave = () => this.#desk.nextCustomer();

  /** Back to the form with the same member and amount. */
  again = () => this.#once(() => this.#again(this.order.channel));

  payBy = (channel: ChannelView) => {
    if (channel === "cash") this.#once(() => this.#cashInstead());
    else this.#once(() => this.#retry(channel));
  };

  async #retry(channel: ChannelView): Promise<void> {
    const request = { order_id: this.order.id, channel };
    await this.#desk.orders.ask(() => this.#desk.call("retry_payment", request));
  }

  /** Cash is an order of its own: the unpaid one ends first, then nothing can be paid twice. */
  async #cashInstead(): Promise<void> {
    await this.#call("cancel_order");
    if (isFinal(this.order.stage) && this.order.stage !== "credited") await this.#again("cash");
  }

  async #again(channel: ChannelView | null): Promise<void> {
    await this.#desk.startAgain(this.order.member_id, this.order.pay_fen, channel);
  }

  async #call(name: "query_payment" | "cancel_order"): Promise<void> {
    const request = { order_id: this.order.id };
    await this.#desk.orders.ask(() => this.#desk.call(name, request));
  }

  #once(work: () => Promise<void>): void {
    if (this.busy) return;
    this.busy = true;
    void this.#desk.attempt(work).finally(() => (this.busy = false));
  }
}

export function keysOf(payment: Payment): KeyMap {
  const { stage } = payment;
  const keys: Actions = { give_up: payment.leave };
  if (payment.canQuery) keys.query = payment.query;
  if (stage !== "failed") keys.later = payment.leave;
  if (payment.canCancel) keys.give_up = payment.cancel;
  if (payment.canGiveUp) keys.give_up = payment.giveUp;
  if (stage === "ended" || stage === "refused") keys.again = payment.again;
  for (const channel of payment.otherChannels) keys[channel] = () => payment.payBy(channel);
  return bound(keys);
}
