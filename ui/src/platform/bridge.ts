import type { CallError } from "../bindings/CallError";
import type { CounterEvent } from "../bindings/CounterEvent";
import type { Language } from "../bindings/Language";
import type { OrderView } from "../bindings/OrderView";
import type { SyncView } from "../bindings/SyncView";
import type { Settings } from "../bindings/Settings";
import { handlers, type DemoBooks } from "./demo/handlers";
import { freshBooks } from "./demo/books";
import { SCENES, type SceneName } from "./demo/scenes";
import type { CommandName, Host, Request, Response } from "./host";

/**
 * demo-counter: a counter in memory for the browser and for tests. It answers as the real one
 * does and can be told to refuse or to wait. Never part of the bundle that shops get.
 */
export class DemoCounter implements Host {
  readonly books: DemoBooks;
  /** Every call so far, in order. */
  readonly calls: { name: CommandName; payload: unknown }[] = [];
  #listeners: ((event: CounterEvent) => void)[] = [];
  #refusals = new Map<CommandName, CallError[]>();
  #gates = new Map<CommandName, Promise<void>>();

  constructor(settings: Partial<Settings> = {}) {
    this.books = freshBooks(settings);
  }

  async call<N extends CommandName>(name: N, payload: Request<N>): Promise<Response<N>> {
    this.calls.push({ name, payload });
    await this.#gates.get(name);
    const refusal = this.#refusals.get(name)?.shift();
    if (refusal !== undefined) throw refusal;
    // The window gets copies, as over the real bridge.
    return structuredClone(handlers[name](this.books, payload, (event) => this.emit(event)));
  }

  listen(onEvent: (event: CounterEvent) => void): Promise<void> {
    this.#listeners.push(onEvent);
    return Promise.resolve();
  }

  openPhone(): Promise<void> {
    return Promise.resolve();
  }

  /** Languages in which training was opened, in order. */
  readonly trained: Language[] = [];

  openTraining(language: Language): Promise<boolean> {
    this.trained.push(language);
    return Promise.resolve(this.trained.length === 1);
  }

  /** What the customer's display was told to show, in order. */
  readonly shownToCustomer: (string | null)[] = [];
  /** Orders that were to be said aloud. */
  readonly announced: OrderView[] = [];

  showCustomer(orderId: string | null): Promise<void> {
    this.shownToCustomer.push(orderId);
    return Promise.resolve();
  }

  announce(order: OrderView): Promise<string | null> {
    this.announced.push(order);
    return Promise.resolve(null);
  }

  /** Whether the system of this demo has a voice, and whether that takes what it is given. */
  readonly voice = { installed: true, speaks: true };
  /** How often a sentence was said for trial. */
  tried = 0;

  hasVoice(): Promise<boolean> {
    return Promise.resolve(this.voice.installed);
  }

  tryVoice(): Promise<string | null> {
    this.tried += 1;
    return Promise.resolve(this.voice.speaks ? null : "试听，没有收款");
  }

  emit(event: CounterEvent): void {
    for (const listener of this.#listeners) listener(structuredClone(event));
  }

  /** The next call of this name is refused. */
  refuse(name: CommandName, error: Partial<CallError>): void {
    const full: CallError = {
      code: "internal",
      message_key: "error.internal",
      params: {},
      retryable: false,
      money: "no",
      ...error,
    };
    this.#refusals.set(name, [...(this.#refusals.get(name) ?? []), full]);
  }

  /** Calls of this name wait until the returned function is called. */
  hold(name: CommandName): () => void {
    let open = () => {};
    this.#gates.set(name, new Promise<void>((resolve) => (open = resolve)));
    return () => {
      this.#gates.delete(name);
      open();
    };
  }

  sync(sync: SyncView): void {
    this.books.session.sync = sync;
    this.emit({ kind: "sync", sync });
  }

  times(name: CommandName): number {
    return this.calls.filter((call) => call.name === name).length;
  }
}

/** A counter for the page's address: ?scene=…&lang=en&theme=dark&type=150&guide=always&pad=always */
export function bridge(): Host {
  const asked = new URLSearchParams(location.search);
  const counter = new DemoCounter({
    language: asked.get("lang") === "en" ? "en" : "zh-CN",
    theme: asked.get("theme") === "dark" ? "dark" : "light",
    type_percent: Number(asked.get("type") ?? "100"),
    number_pad: asked.get("pad") === "always" ? "always" : "touch",
  });
  const scene = asked.get("scene") ?? "counter";
  counter.books.session.guided = asked.get("guide") === "always";
  if (Object.hasOwn(SCENES, scene)) SCENES[scene as SceneName](counter);
  Object.assign(window, { demo: counter });
  return counter;
}
