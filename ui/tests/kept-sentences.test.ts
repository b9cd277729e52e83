import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { serving } from "./window";

const CHINESE = /\p{Script=Han}/u;

test("what was refused, a toast and what was asked for change as well", async () => {
  const { user, counter, desk, screen } = await serving();
  const price = await screen.findByRole("textbox", { name: "本次服务价格" });
  await user.type(price, "abc{Enter}");
  const wrong = await screen.findByText(/./, { selector: ".error" });
  counter.emit({
    kind: "print",
    job: { state: "failed", trouble: "error.printer_unreachable" } as never,
  });
  const toasts = screen.getByRole("log");
  await waitFor(() => expect(toasts.textContent).toMatch(CHINESE));
  expect(wrong.textContent).toMatch(CHINESE);
  desk.notices.say("已到账");
  const { settings } = counter.books.session;
  counter.books.session.settings = { ...settings, language: "en" };
  counter.emit({ kind: "session" });
  await waitFor(() => expect(toasts.textContent).not.toMatch(CHINESE));
  expect(toasts.textContent).toMatch(/printer/i);
  expect(wrong.textContent).toMatch(/[a-z]{3}/);
  expect(wrong.textContent).not.toMatch(CHINESE);
  // What was said stays said, and is not said again.
  expect(desk.notices.spoken).toBe("");
});

test("nothing keeps a finished sentence", () => {
  const sources = import.meta.glob<string>("../src/**/*.{svelte,ts}", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  expect(Object.keys(sources).length).toBeGreaterThan(100);
  const keeping = Object.entries(sources).flatMap(([file, source]) =>
    (source.match(/^ *[\w.]+ (\?\?)?= (t|tell|errorText)\(.*$/gm) ?? []).map((line) => [
      file,
      line,
    ]),
  );
  expect(keeping).toEqual([]);
});
