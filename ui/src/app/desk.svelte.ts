import { getContext, setContext } from "svelte";

import type { BootStatus } from "../bindings/BootStatus";
import type { ChannelView } from "../bindings/ChannelView";
import type { CommandChoice } from "../bindings/CommandChoice";
import type { CounterEvent } from "../bindings/CounterEvent";
import type { Settings } from "../bindings/Settings";
import type { Stage } from "../bindings/Stage";
import type { SyncView } from "../bindings/SyncView";
import type { SessionView } from "../bindings/SessionView";
import { speak, tell } from "../i18n/index.svelte";
import type { CommandName, Host, Request, Response } from "../platform/host";
import { announce, isArrival } from "./announce";
import { CaseBook } from "./case-book.svelte";
import { dress, hasLooks, remember } from "./dress";
import { asCallError } from "./failure";
import { Scans } from "./scans.svelte";
import { leaveTextField } from "./keys";
import { newsOf } from "./news";
import { Notices } from "./notices.svelte";
import { OrderBook } from "./order-book.svelte";
import { Orders, type OrderNews } from "./orders.svelte";
import { prepare } from "./prepare";
import { isOutOfReach } from "./reach";
import type { Begun } from "./registration.svelte";
import { ReceiptsBack } from "./receipts-back.svelte";
import { play, type Sound } from "./sound";
import { isFinal } from "./stages";
import { TopUp } from "./top-up.svelte";

export type Screen = "counter" | "orders" | "cases" | "queue" | "settings";

const SOUNDS: Partial<Record<Stage, Sound>> = {
  credited: "success",
  failed: "failure",
  refused: "failure",
  abnormal: "failure",
  unknown: "checking",
  reversing: "checking",
  paid: "checking",
};

/** Told as a notice where the order is not on the screen. */
const TOLD: readonly Stage[] = ["credited", "ended", "failed", "refused", "paid", "abnormal"];

const isAtWork = (session: SessionView | null) =>
  session !== null && session.signed_in !== null && session.shift !== null;

/** Everything the window knows, kept while people change and screens come and go. */
export class Desk {
  boot = $state.raw<BootStatus | null>(null);
  session = $state.raw<SessionView | null>(null);
  screen = $state<Screen>("counter");
  /** Order whose receipt is shown. */
  receiptOf = $state<string | null>(null);
  /** Order whose page is shown. */
  orderPage = $state<string | null>(null);
  /** Member whose page is shown. */
  lookingAt = $state<string | null>(null);
  /** A registration is open, begun with what was searched for. */
  registering = $state.raw<Begun | null>(null);
  /** Grows with each wish to look for a member. */
  looks = $state(0);
  /** The map of the keys is shown. */
  helping = $state(false);
  /** The command bar is open. */
  commanding = $state(false);
  /** The drawer is to be opened without a sale. */
  openingDrawer = $state(false);
  /** Grows with each print event, so that lists of prints look again. */
  prints = $state(0);

  /** Who asked on the spot to be led through a top-up, or to be left alone. */
  #led = $state.raw<Readonly<Record<string, boolean>>>({});

  #saving: Promise<void> = Promise.resolve();

  readonly host: Host;
  readonly notices = new Notices();
  readonly orders: Orders;
  readonly book: OrderBook;
  readonly cases: CaseBook;
  readonly topUp: TopUp;
  readonly scans: Scans;
  readonly receiptsBack: ReceiptsBack;

  constructor(host: Host) {
    this.host = {
      call: (name, payload) => this.#call(host, name, payload),
      listen: (onEvent) => host.listen(onEvent),
      openPhone: () => host.openPhone(),
      openTraining: (language) => host.openTraining(language),
      showCustomer: (orderId) => host.showCustomer(orderId),
      announce: (order) => host.announce(order),
      hasVoice: () => host.hasVoice(),
      tryVoice: () => host.tryVoice(),
    };
    this.orders = new Orders(this.host, (news) => this.#orderNews(news));
    this.book = new OrderBook(this.host);
    this.cases = new CaseBook(this.host);
    this.topUp = new TopUp(this.host, this.orders);
    this.scans = new Scans(this);
    this.receiptsBack = new ReceiptsBack(this.host);
  }

  async start(): Promise<void> {
    await this.host.listen((event) => void this.attempt(() => this.#heard(event)));
    await this.refreshBoot();
  }

  call<N extends CommandName>(name: N, payload: Request<N>): Promise<Response<N>> {
    return this.host.call(name, payload);
  }

  /** Runs something whose failure belongs to no field: it is told as a notice. */
  async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (reason) {
      this.notices.failed(asCallError(reason));
    }
  }

  async refreshBoot(): Promise<void> {
    this.entered(await this.host.call("boot_status", null));
    if (this.boot?.state.kind === "ready") await this.refreshSession();
  }

  entered(boot: BootStatus): void {
    this.boot = boot;
    if (boot.state.kind !== "first_start" || hasLooks()) return;
    const { settings, shop } = boot.state.first_start;
    void this.attempt(() => speak(settings.language));
    dress({ ...settings, accent: shop?.brand.accent ?? "teal" });
  }

  async refreshSession(): Promise<void> {
    this.sessionIs(await this.host.call("session", null));
  }

  sessionIs(session: SessionView): void {
    const before = this.session;
    this.session = session;
    void this.attempt(() => speak(session.settings.language));
    const looks = { ...session.settings, accent: session.brand.accent };
    dress(looks);
    remember(looks);
    if (session.signed_in?.id !== before?.signed_in?.id) this.#personIs();
    if (isAtWork(session) && !isAtWork(before)) void this.attempt(() => this.orders.refresh());
  }

  /** Changes settings, one change after another: each keeps what those before it have changed. */
  saveSettings(changes: Partial<Settings>): Promise<void> {
    const save = async () => {
      if (this.session === null) return;
      const settings = { ...this.session.settings, ...changes };
      this.sessionIs(await this.host.call("save_settings", settings));
    };
    // Also after one that failed, which is told to whoever asked for it.
    this.#saving = this.#saving.then(save, save);
    return this.#saving;
  }

  /** Somebody is at the counter, and the shift is open: only then is anything sold. */
  get isOpen(): boolean {
    return this.boot?.state.kind === "ready" && isAtWork(this.session);
  }

  /** What a person must look at is for those who look after it, not for cashiers. */
  get seesCases(): boolean {
    const role = this.session?.signed_in?.role;
    return role !== undefined && role !== "cashier";
  }

  #personIs(): void {
    void this.scans.answer(null);
    this.cases.forget();
    if (this.session?.signed_in?.role === "manager")
      void this.attempt(async () => (await import("./ending")).tellEnding(this));
    if (this.seesCases) void this.cases.refresh();
    else if (this.screen === "cases") this.show("counter");
  }

  /** The form leads through a top-up in steps. */
  get guided(): boolean {
    const who = this.session?.signed_in?.id;
    return who !== undefined && (this.#led[who] ?? this.session?.guided === true);
  }

  /** Leads whoever is signed in, or no longer, until the window closes. */
  lead(on: boolean): void {
    const who = this.session?.signed_in?.id;
    if (who !== undefined) this.#led = { ...this.#led, [who]: on };
  }

  show(screen: Screen): void {
    this.screen = screen;
    this.receiptOf = null;
  }

  /** The page of the member at the counter; with none there, the search. */
  showMembers(): void {
    this.show("counter");
    if (this.topUp.member === null) this.looks += 1;
    else this.lookingAt = this.topUp.member.id;
  }

  /** A member at the counter; an order on the screen goes on by itself. */
  async serve(memberId: string): Promise<void> {
    this.orders.leave();
    await this.topUp.start(memberId);
    // Only now: an empty counter would take the keyboard for its search box.
    this.show("counter");
    leaveTextField();
  }

  /** Puts on the ordinary form what the command bar understood. Nothing is charged. */
  async prepare(choice: CommandChoice): Promise<void> {
    await this.serve(choice.member.id);
    if (this.topUp.member?.id !== choice.member.id) return;
    const left = prepare(this.topUp, choice);
    if (left !== null) this.notices.tell("warn", left);
  }

  nextCustomer(): void {
    this.orders.leave();
    this.topUp.clear();
    this.show("counter");
  }

  async openOrder(orderId: string): Promise<void> {
    const order = await this.orders.ask(() => this.call("order", { order_id: orderId }));
    this.show("counter");
    if (this.topUp.member?.id !== order.member_id) await this.topUp.start(order.member_id);
  }

  async startAgain(memberId: string, payFen: number | null, channel: ChannelView | null) {
    const choice = this.topUp.choice;
    const same = this.topUp.member?.id === memberId && choice !== null;
    this.orders.leave();
    await this.topUp.start(memberId);
    if (channel !== null) this.topUp.payBy(channel);
    if (same) this.topUp.choose(choice);
    else if (payFen !== null) this.topUp.choose({ kind: "amount", fen: payFen });
  }

  async #heard(event: CounterEvent): Promise<void> {
    switch (event.kind) {
      case "boot":
        await this.refreshBoot();
        return this.#lookAgain();
      case "session":
        return this.refreshSession();
      case "channels":
        return this.topUp.refreshOffers();
      case "sync":
        return this.#synced(event.sync);
      case "cases":
        if (this.seesCases) await this.cases.refresh();
        return;
      case "order":
        this.orders.heard(event.order);
        if (this.cases.concerns(event.order)) await this.cases.refresh();
        return;
      case "member":
        if (this.topUp.member?.id === event.member_id) await this.topUp.refreshMember();
        return;
      case "print":
        this.prints += 1;
        if (event.job.state === "failed") {
          const trouble = event.job.trouble ?? "error.printer_unreachable";
          this.notices.tell("warn", () => tell(trouble));
        }
    }
  }

  /** A refusal for want of a person or a shift brings the screen where one can be had. */
  async #call<N extends CommandName>(
    host: Host,
    name: N,
    payload: Request<N>,
  ): Promise<Response<N>> {
    try {
      return await host.call(name, payload);
    } catch (reason) {
      const error = asCallError(reason);
      if (error.code === "not_signed_in" || error.code === "no_shift")
        void this.attempt(async () => this.sessionIs(await host.call("session", null)));
      throw error;
    }
  }

  /** A boot event also follows when events were missed: everything shown is asked anew. */
  async #lookAgain(): Promise<void> {
    if (this.session === null || this.session.signed_in === null) return;
    await this.orders.refresh();
    const current = this.orders.current;
    if (current !== null)
      await this.orders.lookAgain(() => this.call("order", { order_id: current.id }));
    await this.topUp.refreshMember();
  }

  /** Methods come and go with the server. */
  async #synced(sync: SyncView): Promise<void> {
    if (this.session === null) return;
    const before = this.session.sync.state;
    this.session = { ...this.session, sync };
    if (isOutOfReach(before) !== isOutOfReach(sync.state)) await this.topUp.refreshOffers();
    // The server's answer tells whether this machine's clock is wrong, or right again.
    if (sync.state === "synced" && before !== "synced") await this.refreshSession();
  }

  #orderNews({ order, before, onScreen }: OrderNews): void {
    const { stage } = order;
    const late = before !== undefined && isFinal(before);
    const sound = SOUNDS[stage] ?? (late ? "checking" : undefined);
    if (sound !== undefined) this.#sound(sound);
    if (this.session !== null && isArrival(before, stage))
      void announce(this.host, this.session.settings, order);
    this.notices.say(newsOf(order));
    if (!onScreen && before !== undefined && (late || TOLD.includes(stage)))
      this.notices.tell(stage === "credited" ? "good" : "warn", () => newsOf(order));
  }

  #sound(sound: Sound): void {
    const settings = this.session?.settings;
    if (settings?.sound) play(sound, settings.volume_percent / 100);
  }
}

const DESK = Symbol("desk");

export function provideDesk(desk: Desk): void {
  setContext(DESK, desk);
}

export function useDesk(): Desk {
  return getContext<Desk>(DESK);
}
