import type { Commands } from "../bindings/commands";
import type { Language } from "../bindings/Language";
import type { OrderView } from "../bindings/OrderView";
import type { CounterEvent } from "../bindings/CounterEvent";

export type CommandName = keyof Commands;
export type Request<N extends CommandName> = Commands[N]["request"];
export type Response<N extends CommandName> = Commands[N]["response"];

/** What the window needs of whoever runs it. A refused call rejects with a `CallError`. */
export interface Host {
  call<N extends CommandName>(name: N, payload: Request<N>): Promise<Response<N>>;
  listen(onEvent: (event: CounterEvent) => void): Promise<void>;
  /** Training only: the customer's phone in a window of its own. */
  openPhone(): Promise<void>;
  /** Training in a window of its own; answers whether it was opened now or is open already. */
  openTraining(language: Language): Promise<boolean>;
  /** Says which order the customer's display is to show; none between two customers. */
  showCustomer(orderId: string | null): Promise<void>;
  /**
   * Says aloud what came in, if its money is there and this terminal speaks. Answers with words
   * that no voice of the system took.
   */
  announce(order: OrderView): Promise<string | null>;
  /** Whether a voice of the system is installed. Only a trial tells whether it is heard. */
  hasVoice(): Promise<boolean>;
  /** Says a sentence for trial, muted or not. Answers with words that no voice of the system took. */
  tryVoice(): Promise<string | null>;
}
