import type { Approval } from "../bindings/Approval";
import type { CallError } from "../bindings/CallError";
import type { ChannelView } from "../bindings/ChannelView";
import type { Choice } from "../bindings/Choice";
import type { MemberView } from "../bindings/MemberView";
import type { OrderView } from "../bindings/OrderView";
import type { PartsView } from "../bindings/PartsView";
import type { QuoteView } from "../bindings/QuoteView";
import type { TopUpForm } from "../bindings/TopUpForm";
import type { Host } from "../platform/host";
import { readTendered } from "../i18n/money";
import { asCallError } from "./failure";
import type { Orders } from "./orders.svelte";
import { isAsked, isRecorded, takesPart } from "./recorded";
import { isImplausible } from "./tender";

/** What must be answered before anything is charged. */
export type Question =
  | (Answered & { kind: "duplicate"; quote: QuoteView; code: string | null })
  | (Answered & { kind: "changed"; shown: QuoteView; quote: QuoteView; code: string | null })
  | CashFirstQuestion
  | ReferenceQuestion
  | ApprovalQuestion;

/** What the cashier said before the question that came next, so that nothing is asked twice. */
type Answered = { referenceConfirmed: boolean; cashTaken?: boolean };

/** The part in cash is taken before a gateway is asked for the rest. */
export type CashFirstQuestion = {
  kind: "cash_first";
  quote: QuoteView;
  parts: PartsView;
  code: string | null;
  charge: Charge;
};

/** A reference that another order of the day was recorded with. */
export type ReferenceQuestion = {
  kind: "reference";
  quote: QuoteView;
  duplicateConfirmed: boolean;
  /** Number of the other order. */
  earlier: string;
};

/** A manager's number and PIN are wanted. */
export type ApprovalQuestion = {
  kind: "approval";
  quote: QuoteView;
  duplicateConfirmed: boolean;
  referenceConfirmed: boolean;
  /** The limit that was passed. */
  why: CallError;
  /** What was wrong with the last try. */
  refusal: CallError | null;
};

type Charge = {
  duplicateConfirmed: boolean;
  /** The customer's payment code, where one was scanned. */
  code: string | null;
  /** The reference of a recorded payment may come again. */
  referenceConfirmed: boolean;
  approval?: Approval;
  /** The part in cash is in the cashier's hand. */
  cashTaken?: boolean;
  /** The price was asked for again already. */
  renewed?: boolean;
};

/** The price as far as the cashier can see it. */
const visible = (quote: QuoteView) =>
  JSON.stringify({ ...quote, quote_id: "", valid_until_ms: 0, bonus_expires_ms: 0 });

/** The steps of the guide, in order. */
export const STEPS = ["amount", "method", "confirm"] as const;
export type Step = (typeof STEPS)[number];

/** An amount that a printed code chose. Scanned once more, the same code confirms it. */
type ScannedAmount = { choice: Choice; readMs: number; confirmed: boolean };

/** A scanner reads what stays before it again; within this time it is the same reading. */
const SAME_READING_MS = 2_000;

/** The second press of a double Enter must not charge a form that nobody has read. */
const READ_FOR_MS = 700;

/** One top-up from the choice of an amount to the call that charges it. */
export class TopUp {
  member = $state.raw<MemberView | null>(null);
  form = $state.raw<TopUpForm | null>(null);
  choice = $state.raw<Choice | null>(null);
  typed = $state("");
  tendered = $state("");
  /** What the bank calls a card payment or transfer, as keyed in. */
  reference = $state("");
  /** The shop's own code, as long as it is on the screen and its payment is not recorded. */
  shopCode = $state.raw<OrderView | null>(null);
  /** An equal top-up was confirmed before the code was shown. */
  #codeAgreed = false;
  /** For a split: what of it is cash beside the other method, as typed. */
  cashPart = $state("");
  /** Cash as typed that nobody would hand over, about which the cashier was asked. */
  #doubted = $state<string | null>(null);
  /** The cash typed is asked about: the next press of 收款 takes it. */
  readonly tenderDoubted = $derived(this.#doubted !== null && this.#doubted === this.tendered);
  /** Grows with each amount and each method that is picked, the same one again included. */
  picks = $state(0);
  /** How the customer wants to pay. Kept while it is not on offer: a blink of the line is no wish. */
  wish = $state<ChannelView | null>(null);
  quote = $state.raw<QuoteView | null>(null);
  question = $state.raw<Question | null>(null);
  /** How far the guide has come; nothing but what is shown depends on it. */
  step = $state<Step>("amount");
  scanned = $state.raw<ScannedAmount | null>(null);
  /** From the click on 收款 until its answer. */
  busy = $state(false);
  amountError = $state.raw<CallError | null>(null);
  tenderedError = $state.raw<CallError | null>(null);
  referenceError = $state.raw<CallError | null>(null);
  cashPartError = $state.raw<CallError | null>(null);
  error = $state.raw<CallError | null>(null);

  /** The wish, while it is on offer. Without one nothing is priced and nothing can be charged. */
  readonly channel = $derived(this.#isOffered(this.wish) ? this.wish : null);
  readonly custom = $derived(this.choice?.kind === "typed");
  /** An amount stands on the form, right or wrong. */
  readonly chosen = $derived(
    this.choice !== null && (this.choice.kind !== "typed" || this.choice.text.trim() !== ""),
  );
  /** A scanner alone chose the amount: no payment code is charged for it yet (docs: adr 0024). */
  readonly unconfirmed = $derived(this.scanned !== null && !this.scanned.confirmed);
  readonly ready = $derived(
    this.quote !== null && !this.quote.blocked && !this.busy && this.question === null,
  );

  /** Somebody looks at the order before money is asked for. */
  readonly reviewed = $derived(this.quote?.notices.some(({ reviews }) => reviews) ?? false);

  readonly #host: Host;
  readonly #orders: Orders;
  #asked = 0;
  #offersAsked = 0;
  /** Offers changed while something was being charged, which goes by the old ones. */
  #offersMissed = false;
  #pricing: Promise<QuoteView | null> = Promise.resolve(null);
  #readUntilMs = 0;

  constructor(host: Host, orders: Orders) {
    this.#host = host;
    this.#orders = orders;
  }

  /** Puts a member on the counter with an empty form. */
  async start(memberId: string): Promise<void> {
    const asked = this.#forget();
    const key = { member_id: memberId };
    const [member, form] = await Promise.all([
      this.#host.call("member", key),
      this.#host.call("top_up_form", key),
    ]);
    if (asked !== this.#asked) return;
    this.member = member;
    this.form = form;
    const offered = form.channels.filter((offer) => offer.available);
    const free = offered.find((offer) => offer.reason === null);
    this.wish = (free ?? offered[0])?.channel ?? null;
  }

  clear(): void {
    this.#forget();
    this.member = null;
    this.form = null;
  }

  async refreshMember(): Promise<void> {
    const known = this.member;
    if (known === null) return;
    const member = await this.#host.call("member", { member_id: known.id });
    if (this.member?.id === member.id) this.member = member;
  }

  /** Asks again what is on offer. What was chosen stays, and is never replaced by another. */
  async refreshOffers(): Promise<void> {
    const member = this.member;
    if (member === null) return;
    const asked = ++this.#offersAsked;
    this.#offersMissed = this.#isCharging();
    if (this.#offersMissed) return;
    const form = await this.#host.call("top_up_form", { member_id: member.id });
    if (asked !== this.#offersAsked || this.member?.id !== member.id) return;
    this.#offersMissed = this.#isCharging();
    if (this.#offersMissed) return;
    this.form = form;
    if (this.choice !== null) this.#reprice();
  }

  choose(choice: Choice): void {
    this.picks += 1;
    this.choice = choice;
    this.typed = choice.kind === "typed" ? choice.text : "";
    this.scanned = null;
    this.step = "method";
    this.shopCode = null;
    this.tendered = "";
    this.tenderedError = null;
    this.#forgetPart();
    this.#reprice();
  }

  /** Chooses by a printed code; the same code again confirms. */
  chooseByCode(choice: Choice): "chosen" | "confirmed" | "same_reading" {
    const readMs = performance.now();
    const before = this.scanned;
    if (before === null || JSON.stringify(before.choice) !== JSON.stringify(choice)) {
      this.choose(choice);
      this.scanned = { choice, readMs, confirmed: false };
      return "chosen";
    }
    const again = readMs - before.readMs >= SAME_READING_MS;
    this.scanned = { ...before, readMs, confirmed: before.confirmed || again };
    return again ? "confirmed" : "same_reading";
  }

  type(text: string): void {
    this.typed = text;
    this.scanned = null;
    this.step = "amount";
    this.choice = { kind: "typed", text };
    this.quote = null;
    this.#reprice();
  }

  /** A part in cash is typed: what is left for the other method comes with the price. */
  typePart(text: string): void {
    this.cashPart = text;
    this.quote = null;
    this.#reprice();
  }

  payBy(channel: ChannelView): void {
    this.picks += 1;
    this.step = this.chosen ? "confirm" : "amount";
    if (this.wish === channel) return;
    this.wish = channel;
    this.tenderedError = null;
    this.#forgetReference();
    this.#forgetPart();
    this.#reprice();
  }

  /** The form was filled by other hands than the cashier's: for a moment nothing is charged. */
  rest(): void {
    this.#readUntilMs = performance.now() + READ_FOR_MS;
  }

  /** Charges what is shown. Asked twice while running, it runs once. */
  async pay(): Promise<void> {
    if (performance.now() < this.#readUntilMs) return;
    await this.#pay(null);
  }

  /**
   * Charges the payment code that the customer shows, by the channel whose it is. False where
   * nothing on the form has a price that can be charged.
   */
  async payByCode(channel: ChannelView, code: string): Promise<boolean> {
    if (this.busy || this.question !== null) return true;
    const part = this.cashPart;
    this.payBy(channel);
    // Whose code it is says nothing of the cash on the counter.
    if (part !== this.cashPart) this.typePart(part);
    return this.#pay(code);
  }

  /** A scan is the whole reference, as if it had been typed there. */
  scanReference(text: string): void {
    // What is being recorded, or asked about, keeps the reference that it has.
    if (this.#isCharging()) return;
    this.reference = text;
    this.referenceError = null;
    this.rest();
  }

  /** Remembers what was chosen; the answer puts it back. */
  remember(): () => void {
    const { choice, typed, tendered, reference, cashPart, wish, step, scanned } = this;
    return () => {
      Object.assign(this, { step, scanned });
      const isSold = choice === this.choice && wish === this.wish;
      const isPaidAlike = reference === this.reference && cashPart === this.cashPart;
      if (isSold && tendered === this.tendered && isPaidAlike) return;
      Object.assign(this, { choice, typed, tendered, reference, cashPart, wish });
      this.tenderedError = null;
      this.#reprice();
    };
  }

  async #pay(code: string | null): Promise<boolean> {
    if (this.busy || this.question !== null) return true;
    // Enter may come a moment before the price of the last key.
    await this.#pricing;
    const { quote } = this;
    if (!this.ready || quote === null) return false;
    if (code === null && this.#asksAboutTender(quote)) return true;
    const asks = quote.duplicate_of !== null || quote.unsettled !== null;
    if (asks && this.shopCode === null)
      this.question = { kind: "duplicate", quote, code, referenceConfirmed: false };
    else await this.#begin(quote, { duplicateConfirmed: false, referenceConfirmed: false, code });
    return true;
  }

  /** Asks once about cash that nobody would hand over. Pressed again, it is taken. */
  #asksAboutTender(quote: QuoteView): boolean {
    if (this.channel !== "cash" || this.tenderDoubted) return false;
    const tendered = readTendered(this.tendered);
    if (tendered === null || !isImplausible(tendered, quote.pay_fen)) return false;
    this.#doubted = this.tendered;
    this.rest();
    return true;
  }

  /** The cashier has read the question and wants the top-up. */
  async confirm(): Promise<void> {
    const question = this.question;
    if (question === null || question.kind === "approval" || this.busy) return;
    this.question = null;
    this.quote = question.quote;
    if (question.kind === "reference") {
      const { quote, duplicateConfirmed } = question;
      const charge = { duplicateConfirmed, referenceConfirmed: true, code: null };
      await this.#charge(quote, charge);
      return;
    }
    if (question.kind === "cash_first") {
      await this.#charge(question.quote, { ...question.charge, cashTaken: true });
      return;
    }
    const { quote, code, referenceConfirmed, cashTaken = false } = question;
    const duplicateConfirmed = question.kind === "duplicate";
    await this.#begin(quote, { duplicateConfirmed, referenceConfirmed, cashTaken, code });
  }

  /** Charges, where no cash is to be taken before a gateway is asked. */
  async #begin(quote: QuoteView, charge: Charge): Promise<void> {
    const { parts } = quote;
    if (parts === null || !isAsked(this.channel) || charge.cashTaken === true) {
      await this.#charge(quote, charge);
      return;
    }
    this.rest();
    this.question = { kind: "cash_first", quote, parts, code: charge.code, charge };
  }

  /** A manager has typed number and PIN. The question stays until they are taken. */
  async approve(approval: Approval): Promise<void> {
    const question = this.question;
    if (question?.kind !== "approval" || this.busy) return;
    const { quote, duplicateConfirmed, referenceConfirmed } = question;
    const charge = { duplicateConfirmed, referenceConfirmed, approval, code: null };
    await this.#charge(quote, charge);
  }

  dismiss(): void {
    if (this.question?.kind === "changed") this.quote = this.question.quote;
    this.question = null;
    void this.#catchUp();
  }

  /** Asks for the offers that changed while something was being charged. */
  async #catchUp(): Promise<void> {
    if (!this.#offersMissed || this.#isCharging()) return;
    try {
      await this.refreshOffers();
    } catch (reason) {
      this.error = asCallError(reason);
    }
  }

  #isOffered(channel: ChannelView | null): boolean {
    return this.form?.channels.some((o) => o.channel === channel && o.available) ?? false;
  }

  #isCharging(): boolean {
    return this.busy || this.question !== null;
  }

  async #charge(quote: QuoteView, charge: Charge): Promise<void> {
    if (this.form === null || this.channel === null) return;
    const same = { intent: this.form.intent, quote_id: quote.quote_id };
    const channel = this.channel;
    this.busy = true;
    this.error = null;
    this.tenderedError = null;
    this.referenceError = null;
    try {
      if (channel === "shop_code" && this.shopCode === null) await this.#showCode(same, charge);
      else {
        await this.#orders.ask(() => this.#send(channel, same, charge));
        this.shopCode = null;
      }
      this.question = null;
    } catch (reason) {
      const error = asCallError(reason);
      if (!this.#asksManager(error, quote, charge)) {
        this.question = null;
        if (error.code !== "quote_changed") await this.#refused(error, quote, charge);
        else await this.#showChange(error, quote, charge);
      }
    } finally {
      this.busy = false;
    }
    await this.#catchUp();
  }

  /** The customer scans it first; what was paid is recorded from there. */
  async #showCode(
    same: { intent: string; quote_id: string },
    { duplicateConfirmed }: Charge,
  ): Promise<void> {
    const request = { ...same, duplicate_confirmed: duplicateConfirmed };
    this.shopCode = await this.#host.call("shop_code", request);
    this.#codeAgreed = duplicateConfirmed;
    // The second press of a double Enter records nothing.
    this.rest();
  }

  /** Nobody pays by the code any more: back to the form. */
  putCodeAway(): void {
    if (this.#isCharging()) return;
    this.shopCode = null;
    this.#forgetReference();
  }

  #send(
    channel: ChannelView,
    same: { intent: string; quote_id: string },
    { duplicateConfirmed, referenceConfirmed, approval, code }: Charge,
  ): Promise<OrderView> {
    const request = { ...same, duplicate_confirmed: duplicateConfirmed };
    if (code !== null) return this.#host.call("start_code", { ...request, channel, code });
    if (channel === "cash") {
      const tendered = this.tendered.trim();
      return this.#host.call("pay_cash", { ...request, tendered, approval: approval ?? null });
    }
    if (isRecorded(channel)) {
      const { reference } = this;
      const confirmed = { reference_confirmed: referenceConfirmed };
      if (this.#codeAgreed && this.shopCode !== null) request.duplicate_confirmed = true;
      const recorded = { reference, ...confirmed, approval: approval ?? null };
      return this.#host.call("pay_recorded", { ...request, channel, ...recorded });
    }
    return this.#host.call("start_qr", { ...request, channel });
  }

  /** Whether a manager's PIN is wanted, at first or again after a wrong one. */
  #asksManager(error: CallError, quote: QuoteView, charge: Charge): boolean {
    const asked = this.question?.kind === "approval" ? this.question : null;
    const { duplicateConfirmed, referenceConfirmed } = charge;
    if (asked === null) {
      if (error.code !== "approval_needed") return false;
      const answered = { duplicateConfirmed, referenceConfirmed };
      this.question = { kind: "approval", quote, ...answered, why: error, refusal: null };
      return true;
    }
    if (!["approval_needed", "pin_wrong", "pin_locked"].includes(error.code)) return false;
    this.question = { ...asked, refusal: error };
    return true;
  }

  async #refused(error: CallError, quote: QuoteView, charge: Charge): Promise<void> {
    const { code, duplicateConfirmed, referenceConfirmed, cashTaken = false } = charge;
    if (error.code === "duplicate_suspected") {
      this.question = { kind: "duplicate", quote, code, referenceConfirmed, cashTaken };
    } else if (error.code === "reference_used") {
      const earlier = error.params["no"] ?? "";
      this.question = { kind: "reference", quote, duplicateConfirmed, earlier };
    } else if (error.code === "invalid_input" && isRecorded(this.channel)) {
      this.referenceError = error;
    } else if (error.code === "invalid_input" && this.channel === "cash") {
      this.tenderedError = error;
    } else {
      this.error = error;
      if (error.code === "wrong_state") await this.#orders.refresh();
    }
  }

  /** A price that is only older, not different, needs no question and is charged once more. */
  async #showChange(error: CallError, shown: QuoteView, charge: Charge): Promise<void> {
    const quote = await this.#price();
    if (quote === null) return;
    const { code, referenceConfirmed, cashTaken = false } = charge;
    if (visible(quote) !== visible(shown))
      this.question = { kind: "changed", shown, quote, code, referenceConfirmed, cashTaken };
    else if (charge.renewed === true) this.error = error;
    else await this.#charge(quote, { ...charge, renewed: true });
  }

  /** A reference names one payment by one method. */
  #forgetReference(): void {
    this.shopCode = null;
    this.reference = "";
    this.referenceError = null;
  }

  /** A part in cash is of one amount, beside one method. */
  #forgetPart(): void {
    this.cashPart = "";
    this.cashPartError = null;
  }

  #reprice(): void {
    this.#pricing = this.#price();
  }

  async #price(): Promise<QuoteView | null> {
    const { member, form, choice, channel } = this;
    const asked = ++this.#asked;
    this.amountError = null;
    this.cashPartError = null;
    this.error = null;
    const incomplete = member === null || form === null || channel === null;
    if (incomplete || choice === null || !this.chosen) {
      this.quote = null;
      return null;
    }
    try {
      const cash_part = takesPart(channel) ? this.cashPart : "";
      const request = { intent: form.intent, member_id: member.id, choice, channel, cash_part };
      const quote = await this.#host.call("quote", request);
      if (asked === this.#asked) this.quote = quote;
      return quote;
    } catch (reason) {
      if (asked !== this.#asked) return null;
      this.quote = null;
      const error = asCallError(reason);
      if (error.params["field"] === "cash_part") this.cashPartError = error;
      else if (error.code === "invalid_input") this.amountError = error;
      else this.error = error;
      return null;
    }
  }

  #forget(): number {
    this.#offersAsked += 1;
    this.#offersMissed = false;
    this.#pricing = Promise.resolve(null);
    this.choice = null;
    this.step = "amount";
    this.scanned = null;
    this.quote = null;
    this.question = null;
    this.typed = "";
    this.tendered = "";
    this.#doubted = null;
    this.amountError = null;
    this.tenderedError = null;
    this.#forgetReference();
    this.#forgetPart();
    this.error = null;
    return ++this.#asked;
  }
}
