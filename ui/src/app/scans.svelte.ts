import { t, type MessageKey } from "../i18n/index.svelte";
import type { ChannelView } from "../bindings/ChannelView";
import type { Choice } from "../bindings/Choice";
import type { OrderView } from "../bindings/OrderView";
import type { Offer } from "../bindings/Offer";
import type { ScanReading } from "../bindings/ScanReading";
import type { TopUpForm } from "../bindings/TopUpForm";
import type { Desk } from "./desk.svelte";
import { asCallError } from "./failure";
import { leaveTextField } from "./keys";
import { isFailing } from "./methods";
import { isAsked, isKeyed, type AskedChannel } from "./recorded";
import type { Weight } from "./scan-watch";
import { whyNoCode } from "./stages";

/** The form of every payment code, of whatever channel; nobody knows the channels before sign-in. */
const PAYMENT_CODE = /^\d{16,24}$/;
export const mayBePaymentCode = (text: string): boolean => PAYMENT_CODE.test(text);

/** Remembers what keys may change; the answer puts it back. */
type Keeper = () => () => void;

/** Text that is to be looked for among the members as if it had been typed there. */
export type Sought = { text: string; turn: number };

/**
 * A payment code of no kind that is known here, until the customer has said whose it is. Held in
 * memory only, as every payment code is.
 */
export type Whose = {
  code: string;
  /** The order on the screen that it is to pay; none where it pays what is on the form. */
  order: string | null;
  channels: AskedChannel[];
};

/**
 * Where a scan goes: a payment code to the payment that waits for one, all else to the search.
 * While a card payment or transfer is keyed in, it is the bank's number, of whatever form: a
 * voucher's serial may look like a payment code, and must not charge anybody.
 */
export class Scans {
  /** For the search box. */
  sought = $state.raw<Sought | null>(null);
  /** Asked on the screen. */
  whose = $state.raw<Whose | null>(null);
  /** Somebody tries the scanner in the settings: nothing is taken for a scan meanwhile. */
  isTried = false;
  /** From a payment code until the order that it pays is on the screen. */
  #charging = false;
  /** Of the screen that is there before the counter is open. */
  #keeper: Keeper | null = null;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** What the first keys of a burst do to a screen is put back; the answer is for its end. */
  keeping(keeper: Keeper): () => void {
    this.#keeper = keeper;
    return () => {
      if (this.#keeper === keeper) this.#keeper = null;
    };
  }

  remember(): () => void {
    const { guided } = this.#desk;
    const undo = this.#keeper?.() ?? this.#desk.topUp.remember();
    return () => {
      if (guided !== this.#desk.guided) this.#desk.lead(guided);
      undo();
    };
  }

  /** What the keys of the screen do, where no text field has the keyboard. */
  weight(): Weight {
    const { isOpen, screen, orders, topUp } = this.#desk;
    if (!isOpen || this.isTried) return "light";
    if (document.querySelector("dialog[open]") !== null) return "answer";
    if (screen !== "counter") return "light";
    if (orders.current !== null) return "answer";
    return topUp.member === null ? "light" : "form";
  }

  /** Answers false where the text is the quick end of what a hand began in the field. */
  async take(text: string, field: HTMLInputElement | null, continues: boolean): Promise<boolean> {
    if (!this.#desk.isOpen) return this.#tooEarly(text, field);
    const dialog = document.querySelector("dialog[open]");
    const recording = dialog === null && this.#isRecording();
    const searching = field?.getAttribute("role") === "combobox";
    try {
      const reading = await this.#desk.call("read_scan", { text });
      if (reading.kind === "receipt") this.#receipt(text, dialog);
      else if (this.#desk.receiptsBack.open) this.#desk.receiptsBack.stray = true;
      else if (reading.kind === "offer") this.#offer(reading.choice, dialog);
      else if (recording && !searching) this.#desk.topUp.scanReference(text);
      else if (reading.kind === "payment_code" && !recording && !isCard(reading, dialog))
        await this.#paymentCode(text, reading.channel, dialog);
      else if (dialog !== null) this.#intoDialog(text, dialog);
      else if (continues) return false;
      else this.sought = { text, turn: (this.sought?.turn ?? 0) + 1 };
    } catch (reason) {
      this.#desk.notices.failed(asCallError(reason));
    }
    return true;
  }

  /** Before the counter is open a scan charges nothing, and is nobody's PIN and no count of notes. */
  #tooEarly(text: string, field: HTMLInputElement | null): boolean {
    const { boot, session, notices } = this.#desk;
    const isCode = mayBePaymentCode(text);
    if (!isCode && field?.dataset["scans"] !== undefined) return false;
    const first =
      boot?.state.kind !== "ready" || session === null
        ? "scan.first.set_up"
        : session.signed_in === null
          ? "scan.first.sign_in"
          : "scan.first.shift";
    const said = isCode ? "scan.early_code" : "scan.early";
    notices.tell("warn", () => t(said, { first: t(first) }));
    return true;
  }

  /** The form at the counter wants a bank's reference. */
  #isRecording(): boolean {
    const { orders, topUp, screen } = this.#desk;
    return (
      screen === "counter" &&
      orders.current === null &&
      (isKeyed(topUp.channel) || topUp.shopCode !== null)
    );
  }

  /** Of a lost terminal, perhaps: whether the books have it is for the server to say. */
  #receipt(text: string, dialog: Element | null): void {
    const { notices, receiptsBack } = this.#desk;
    if (dialog !== null && !receiptsBack.open)
      return notices.tell("warn", () => t("receipts.answer_first"));
    receiptsBack.show();
    void receiptsBack.take(text);
  }

  /** A printed code chooses what is on sale to the member on the form, and nothing else. */
  #offer(choice: Choice | null, dialog: Element | null): void {
    const { notices, orders, topUp, screen } = this.#desk;
    const onForm = screen === "counter" && orders.current === null;
    if (dialog !== null) return notices.tell("warn", () => t("scan.answer_offer_first"));
    if (topUp.shopCode !== null) return notices.tell("warn", () => t("shop_code.first"));
    if (!onForm || topUp.form === null || topUp.busy)
      return notices.tell("warn", () => t("scan.member_first"));
    const offer = offerOf(topUp.form, choice);
    if (offer === undefined) return notices.tell("warn", () => t("scan.offer_gone"));
    leaveTextField();
    topUp.chooseByCode(offer.choice);
  }

  /** For the one field that wants it, wherever the keyboard is; it answers nothing and sends nothing. */
  #intoDialog(text: string, dialog: Element): void {
    const field = fieldFor(dialog);
    if (field === null) return this.#desk.notices.tell("warn", () => t("scan.close_first"));
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  async #paymentCode(code: string, channel: ChannelView | null, dialog: Element | null) {
    const { notices } = this.#desk;
    if (dialog !== null) return notices.tell("warn", () => t("scan.answer_first"));
    if (this.#charging) return notices.tell("warn", () => t("error.code_under_way"));
    if (channel === null) return this.#askWhose(code);
    await this.#once(code, channel);
  }

  async #once(code: string, channel: ChannelView): Promise<void> {
    this.#charging = true;
    try {
      await this.#charge(code, channel);
    } finally {
      this.#charging = false;
    }
  }

  /** Nothing is asked about a code that could not be charged anyway. */
  #askWhose(code: string): void {
    const { topUp, notices } = this.#desk;
    const order = this.#onScreen();
    const why = order === null ? this.#whyNotForm() : whyNoCode(order);
    if (why !== null) return notices.tell("warn", () => t(why));
    const channels = (topUp.form?.channels ?? [])
      .filter((offer) => offer.available && !isFailing(offer))
      .map(({ channel }) => channel)
      .filter(isAsked);
    if (channels.length === 0) return notices.tell("warn", () => t("error.code_unknown"));
    this.whose = { code, order: order?.id ?? null, channels };
  }

  /** The customer has said how the code is to be paid, or nothing: then it is forgotten. */
  async answer(channel: AskedChannel | null): Promise<void> {
    const asked = this.whose;
    this.whose = null;
    if (asked === null || channel === null || this.#charging) return;
    // The order may have ended meanwhile, and another one come.
    if (asked.order !== (this.#onScreen()?.id ?? null))
      return this.#desk.notices.tell("warn", () => t("error.no_payment_waits"));
    await this.#desk.attempt(() => this.#once(asked.code, channel));
  }

  #onScreen(): OrderView | null {
    const { orders, screen } = this.#desk;
    return screen === "counter" ? orders.current : null;
  }

  #whyNotForm(): MessageKey | null {
    const { topUp, screen } = this.#desk;
    if (screen !== "counter" || topUp.member === null) return "error.no_payment_waits";
    if (!topUp.chosen) return "scan.amount_first";
    return topUp.unconfirmed ? "scan.confirm_first" : null;
  }

  async #charge(code: string, channel: ChannelView): Promise<void> {
    const { orders, topUp, notices } = this.#desk;
    const order = this.#onScreen();
    const why = this.#whyNotForm();
    if (order !== null) {
      const request = { order_id: order.id, channel, code };
      await orders.ask(() => this.#desk.call("charge_code", request));
    } else if (why !== null) {
      notices.tell("warn", () => t(why));
    } else if (isFailing(topUp.form?.channels.find((offer) => offer.channel === channel))) {
      notices.tell("warn", () => t("scan.channel_down", { channel: t(`channel.${channel}`) }));
    } else {
      leaveTextField();
      const taken = await topUp.payByCode(channel, code);
      if (!taken) notices.tell("warn", () => t("scan.no_price"));
    }
  }
}

/** The field of a dialog that keeps what is scanned. */
const fieldFor = (dialog: Element | null) =>
  dialog?.querySelector<HTMLInputElement>("input[data-scans]") ?? null;

/** Where a card is wanted, as many digits as a payment code has are one, but for a known kind. */
const isCard = (reading: ScanReading, dialog: Element | null): boolean =>
  fieldFor(dialog) !== null && reading.kind === "payment_code" && reading.channel === null;

/** The one offer that a printed code means; an amount that became a package keeps its code. */
function offerOf(form: TopUpForm, choice: Choice | null): Offer | undefined {
  const means = ({ choice: sold, pay_fen }: Offer) =>
    choice?.kind === "package"
      ? sold.kind === "package" && sold.id === choice.id
      : choice?.kind === "amount" && pay_fen === choice.fen;
  const [offer, other] = form.offers.filter(means);
  return other === undefined ? offer : undefined;
}
