import type { OrderView } from "../bindings/OrderView";
import type { Settings } from "../bindings/Settings";
import type { Stage } from "../bindings/Stage";
import type { Host } from "../platform/host";
import { canSay, say, wakeVoices, TONE_ENDS_MS } from "./sound";

const HAS_MONEY: readonly Stage[] = ["paid", "credited"];

/** Whether money came in between two looks at an order. */
export const isArrival = (before: Stage | undefined, stage: Stage) =>
  HAS_MONEY.includes(stage) && (before === undefined || !HAS_MONEY.includes(before));

type Loudness = Pick<Settings, "sound" | "voice" | "volume_percent" | "language">;

/** Has the money that came in with an order said aloud, after its tone. A shop hears it or not. */
export async function announce(host: Host, settings: Loudness, order: OrderView): Promise<void> {
  if (!settings.sound || !settings.voice) return;
  wakeVoices();
  await new Promise((done) => setTimeout(done, TONE_ENDS_MS));
  try {
    const words = await host.announce(order);
    if (words === null) return;
    if (!say(words, settings.language, settings.volume_percent / 100))
      console.warn("not said aloud: neither the system nor the web view has a voice");
  } catch (reason) {
    // The money is there and on the screen: a voice that fails is for support, not for the cashier.
    console.warn("not said aloud", reason);
  }
}

/** Whether this machine can say anything in the language, by the system or by the web view. */
export const canAnnounce = async (host: Host, language: Settings["language"]): Promise<boolean> =>
  (await host.hasVoice()) || canSay(language);

/** Says a sentence for trial, and answers whether a voice took it. */
export async function tryVoice(host: Host, settings: Loudness): Promise<boolean> {
  const words = await host.tryVoice();
  if (words === null) return true;
  if (!(await canSay(settings.language))) return false;
  return say(words, settings.language, settings.volume_percent / 100);
}
