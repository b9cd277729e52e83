/** Short tones made on the spot: nothing to load, and each outcome has its own shape. */
export type Sound = "success" | "failure" | "checking";

type Tone = { hertz: number; atMs: number; forMs: number };

const TONES: Record<Sound, Tone[]> = {
  success: [
    { hertz: 659, atMs: 0, forMs: 110 },
    { hertz: 880, atMs: 100, forMs: 110 },
    { hertz: 1319, atMs: 200, forMs: 260 },
  ],
  failure: [
    { hertz: 392, atMs: 0, forMs: 160 },
    { hertz: 262, atMs: 170, forMs: 300 },
  ],
  checking: [
    { hertz: 523, atMs: 0, forMs: 90 },
    { hertz: 523, atMs: 220, forMs: 90 },
  ],
};

const LOUDEST = 0.22;

/** By then every tone is over, and a voice can be understood. */
export const TONE_ENDS_MS = 500;

let context: AudioContext | undefined;

/** `volume` from 0 to 1. */
export function play(sound: Sound, volume: number): void {
  if (typeof AudioContext === "undefined") return;
  context ??= new AudioContext();
  const start = context.currentTime + 0.02;
  for (const { hertz, atMs, forMs } of TONES[sound]) {
    const oscillator = new OscillatorNode(context, { type: "triangle", frequency: hertz });
    const gain = new GainNode(context, { gain: 0 });
    const from = start + atMs / 1000;
    const until = from + forMs / 1000;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(LOUDEST * volume, from + 0.012);
    gain.gain.exponentialRampToValueAtTime(0.001, until);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(from);
    oscillator.stop(until);
  }
}

/** A web view that has no voices by then has none. */
const VOICES_COME_WITHIN_MS = 1500;

/** A voice of this machine for the language. Those that need the network are left alone. */
function voiceFor(language: string): SpeechSynthesisVoice | undefined {
  if (typeof speechSynthesis === "undefined") return undefined;
  const [tongue] = language.toLowerCase().split("-");
  return speechSynthesis
    .getVoices()
    .find((each) => each.localService && each.lang.toLowerCase().startsWith(tongue ?? language));
}

/** Whether the web view has a voice for the language, once it had the time to load them. */
export async function canSay(language: string): Promise<boolean> {
  if (typeof speechSynthesis === "undefined") return false;
  if (speechSynthesis.getVoices().length === 0)
    await new Promise((done) => {
      speechSynthesis.addEventListener("voiceschanged", done, { once: true });
      setTimeout(done, VOICES_COME_WITHIN_MS);
    });
  return voiceFor(language) !== undefined;
}

/**
 * Says `words` by a voice of this machine and answers whether the web view has one for the
 * language. `volume` from 0 to 1.
 */
export function say(words: string, language: string, volume: number): boolean {
  const voice = voiceFor(language);
  if (voice === undefined) return false;
  const utterance = new SpeechSynthesisUtterance(words);
  Object.assign(utterance, { voice, lang: voice.lang, volume });
  speechSynthesis.speak(utterance);
  return true;
}

/** Some web views load their voices only when they are first asked for. */
export function wakeVoices(): void {
  if (typeof speechSynthesis !== "undefined") speechSynthesis.getVoices();
}
