import { afterEach, expect, test, vi } from "vitest";

import { canSay, say } from "../src/app/sound";
import { openWindow } from "./window";

type Voice = { lang: string; localService: boolean };

/** A web view with these voices, which come `later` or are there; what it says is kept. */
function webView(voices: Voice[], later = false) {
  const said: { text: string; voice: Voice; lang: string; volume: number }[] = [];
  const speech = Object.assign(new EventTarget(), {
    known: later ? [] : voices,
    getVoices: () => speech.known,
    speak: (utterance: (typeof said)[number]) => void said.push(utterance),
  });
  const arrive = () => {
    speech.known = voices;
    speech.dispatchEvent(new Event("voiceschanged"));
  };
  class Utterance {
    constructor(readonly text: string) {}
  }
  vi.stubGlobal("speechSynthesis", speech);
  vi.stubGlobal("SpeechSynthesisUtterance", Utterance);
  return { said, arrive };
}

afterEach(() => vi.unstubAllGlobals());

const CHINESE = { lang: "zh-CN", localService: true };
const ENGLISH = { lang: "en-GB", localService: true };
const FAR = { lang: "zh-CN", localService: false };

test("the web view speaks with a voice of this machine for the language, or not at all", async () => {
  for (const [voices, language, taken] of [
    [[ENGLISH, FAR, CHINESE], "zh-CN", CHINESE],
    [[CHINESE, ENGLISH], "en", ENGLISH],
    [[ENGLISH], "zh-CN", null],
    [[FAR], "zh-CN", null],
  ] as const) {
    const { said } = webView([...voices]);
    expect(await canSay(language)).toBe(taken !== null);
    expect(say("微信收款三百元", language, 0.3)).toBe(taken !== null);
    expect(said.map(({ voice }) => voice)).toEqual(taken === null ? [] : [taken]);
    if (taken !== null)
      expect(said[0]).toMatchObject({ text: "微信收款三百元", lang: taken.lang, volume: 0.3 });
  }
});

test("voices that come late are waited for, and none for ever", async () => {
  vi.useFakeTimers();
  const { arrive } = webView([CHINESE], true);
  const late = canSay("zh-CN");
  arrive();
  expect(await late).toBe(true);
  webView([CHINESE], true);
  const never = canSay("zh-CN");
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await never).toBe(false);
  vi.useRealTimers();
  vi.stubGlobal("speechSynthesis", undefined);
  expect([await canSay("zh-CN"), say("一", "zh-CN", 1)]).toEqual([false, false]);
});

async function settings(voice: { installed: boolean; speaks: boolean }) {
  const window = await openWindow("counter");
  Object.assign(window.counter.voice, voice);
  await window.screen.findByRole("combobox");
  await window.user.keyboard("{F9}");
  const listen = await window.screen.findByRole("button", { name: "试听" });
  return { ...window, listen };
}

test("what can speak is heard for trial, by the system or by the web view", async () => {
  const { said } = webView([CHINESE]);
  const { user, screen, counter, listen } = await settings({ installed: false, speaks: false });
  await user.click(listen);
  expect(await screen.findByText(/没听见请查音箱/)).toBeTruthy();
  expect([counter.tried, said.map(({ text }) => text)]).toEqual([1, ["试听，没有收款"]]);
  Object.assign(counter.voice, { speaks: true });
  await user.click(listen);
  await vi.waitFor(() => expect(counter.tried).toBe(2));
  expect(said).toHaveLength(1);
});

test("a computer without a voice says so before anybody waits for it", async () => {
  webView([ENGLISH]);
  const { screen } = await settings({ installed: false, speaks: false });
  expect(await screen.findByText(/没有能说这种语言的语音/)).toBeTruthy();
});

test("a voice that is installed and takes nothing is found out by the trial", async () => {
  webView([ENGLISH]);
  const { user, screen, listen } = await settings({ installed: true, speaks: false });
  expect(screen.queryByText(/没有能说这种语言的语音/)).toBeNull();
  await user.click(listen);
  expect(await screen.findByText(/没有能说这种语言的语音/)).toBeTruthy();
});
