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

/**
 * Says `words` by a voice of this machine, if the web view has one for the language. Voices that
 * need the network are left alone. `volume` from 0 to 1.
 */
export function say(words: string, language: string, volume: number): void {
  if (typeof speechSynthesis === "undefined") return;
  const [tongue] = language.toLowerCase().split("-");
  const voice = speechSynthesis
    .getVoices()
    .find((each) => each.localService && each.lang.toLowerCase().startsWith(tongue ?? language));
  if (voice === undefined) return;
  const utterance = new SpeechSynthesisUtterance(words);
  Object.assign(utterance, { voice, lang: voice.lang, volume });
  speechSynthesis.speak(utterance);
}

/** Some web views load their voices only when they are first asked for. */
export function wakeVoices(): void {
  if (typeof speechSynthesis !== "undefined") speechSynthesis.getVoices();
}
