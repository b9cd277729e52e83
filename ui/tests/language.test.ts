import { screen, waitFor } from "@testing-library/dom";
import { afterEach, expect, test, vi } from "vitest";

const ENGLISH = "../messages/en.json";

/** A fresh catalogue shelf, whose English comes when `arrive` is called, or never. */
async function shelf() {
  vi.resetModules();
  let arrive: (how: "whole" | "broken") => void = () => {};
  const coming = new Promise<"whole" | "broken">((resolve) => (arrive = resolve));
  vi.doMock(ENGLISH, async (original) => {
    if ((await coming) === "broken") throw new Error("no such file");
    return original();
  });
  return { arrive, ...(await import("../src/i18n/index.svelte")) };
}

afterEach(() => {
  vi.doUnmock(ENGLISH);
  vi.resetModules();
});

test("until English is here everything stays Chinese, then all of it changes", async () => {
  const { speak, t, currentLanguage, arrive } = await shelf();
  const spoken = speak("en");
  expect([t("settings.name"), currentLanguage()]).toEqual(["设置", "zh-CN"]);
  expect(document.documentElement.lang).not.toBe("en");
  arrive("whole");
  await spoken;
  expect([t("settings.name"), currentLanguage()]).toEqual(["Settings", "en"]);
  expect(document.documentElement.lang).toBe("en");
});

test("of two wishes the last counts, whichever is ready first", async () => {
  const { speak, t, arrive } = await shelf();
  const english = speak("en");
  await speak("zh-CN");
  arrive("whole");
  await english;
  expect(t("settings.name")).toBe("设置");
  void speak("en");
  expect(t("settings.name")).toBe("Settings");
});

test("once it was fetched a change takes effect in the same moment", async () => {
  const { speak, learnAll, t, arrive } = await shelf();
  arrive("whole");
  await learnAll();
  void speak("en");
  expect(t("settings.name")).toBe("Settings");
  void speak("zh-CN");
  expect(t("settings.name")).toBe("设置");
});

test("a catalogue that cannot be read is told, and the language stays", async () => {
  const { speak, t, arrive } = await shelf();
  arrive("broken");
  await expect(speak("en")).rejects.toThrow();
  expect(t("settings.name")).toBe("设置");
});

test("in the middle of a payment the whole screen changes and the payment goes on", async () => {
  vi.resetModules();
  const { serving } = await import("./window");
  const { user, counter, desk } = await serving();
  await user.keyboard("1w{Enter}");
  await screen.findByRole("img", { name: /收款码/ });
  const { settings } = counter.books.session;
  counter.books.session.settings = { ...settings, language: "en" };
  counter.emit({ kind: "session" });
  await screen.findByRole("img", { name: /code/ });
  const main = document.querySelector("main")!;
  await waitFor(() => expect(main.textContent).not.toMatch(/收款码|取消收款|剩余/));
  expect(counter.times("start_qr")).toBe(1);
  expect(desk.orders.current?.stage).toBe("waiting");
});
