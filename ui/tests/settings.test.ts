import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { openWindow } from "./window";

/** The settings' first part, where the screen is dark and its type large in two clicks. */
async function twoClicks(before: (window: Awaited<ReturnType<typeof openWindow>>) => void) {
  const window = await openWindow("counter");
  const { screen, user, counter } = window;
  await screen.findByRole("combobox");
  await user.keyboard("{F9}");
  const dark = await screen.findByRole("radio", { name: "深色" });
  before(window);
  const answer = counter.hold("save_settings");
  await user.click(dark);
  await user.click(screen.getByRole("radio", { name: "150 %" }));
  answer();
  await waitFor(() => expect(counter.times("save_settings")).toBe(2));
  await waitFor(() => expect(counter.books.session.settings.type_percent).toBe(150));
  return window;
}

test("a second change keeps the first, whose answer is still to come", async () => {
  const { counter } = await twoClicks(() => {});
  expect(counter.books.session.settings.theme).toBe("dark");
  await waitFor(() => expect(document.documentElement.dataset["theme"]).toBe("dark"));
});

test("a change that is refused is told, and the next is made all the same", async () => {
  const { screen, counter } = await twoClicks(({ counter }) =>
    counter.refuse("save_settings", { message_key: "error.disk_full" }),
  );
  expect(counter.books.session.settings.theme).toBe("light");
  expect(await screen.findByText(/硬盘已满/)).toBeTruthy();
});
