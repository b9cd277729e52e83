import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { scan } from "./scanner";
import { openWindow, serving } from "./window";

async function opened(scene: "counter" | "offline" = "counter") {
  const window = await openWindow(scene);
  await window.screen.findByRole("combobox");
  await window.user.keyboard("{F8}");
  await window.user.click(await window.screen.findByRole("button", { name: "找回小票" }));
  const dialog = await window.screen.findByRole("dialog", { name: "找回小票" });
  return { ...window, dialog, lines: () => within(dialog).getAllByRole("listitem") };
}

test("receipts are scanned one after another, and each is told", async () => {
  const { dialog, lines, counter } = await opened();
  scan("QT1:NEW-1");
  scan("QT1:NEW-3");
  scan("QT1:FORGED");
  await waitFor(() => expect(lines()).toHaveLength(3));
  expect(lines()[0]!.textContent).toMatch(/未采用.*签名不对/s);
  expect(lines()[0]!.textContent).not.toContain("张伟");
  expect(lines()[1]!.textContent).toMatch(/张伟.*¥300\.00.*新入账.*还有 2 个操作/s);
  expect(lines()[2]!.textContent).not.toContain("个操作");
  expect(within(dialog).getByRole("status").textContent).toContain("新入账 2 张，¥400.00");
  expect(counter.times("bring_back")).toBe(3);
});

test("the second scan of a receipt adds no line and takes nothing back", async () => {
  const { dialog, lines, counter } = await opened();
  scan("QT1:NEW-2");
  await waitFor(() => expect(lines()[0]!.textContent).toContain("新入账"));
  scan("QT1:NEW-2");
  await waitFor(() => expect(counter.times("bring_back")).toBe(2));
  expect(lines()).toHaveLength(1);
  expect(within(dialog).getByRole("status").textContent).toContain("新入账 1 张");
});

test("what is no receipt is said and not given to the server", async () => {
  const { dialog, counter } = await opened();
  scan("134567890123456789");
  await waitFor(() =>
    expect(within(dialog).getByRole("status").textContent).toContain("这不是小票上的二维码"),
  );
  expect(counter.times("bring_back")).toBe(0);
  expect(counter.times("charge_code")).toBe(0);
});

test("without the server a receipt waits and is sent again", async () => {
  const { dialog, counter, lines, user } = await opened("offline");
  scan("QT1:NEW-1");
  const again = await within(dialog).findByRole("button", { name: "再送一次" });
  expect(dialog.textContent).toContain("还有 1 张没有送到");
  counter.books.session.sync.state = "synced";
  await user.click(again);
  await waitFor(() => expect(lines()[0]!.textContent).toContain("新入账"));
  expect(within(dialog).queryByRole("button", { name: "再送一次" })).toBeNull();
  await user.keyboard("{Escape}");
  await waitFor(() => expect(document.querySelector("dialog[open]")).toBeNull());
});

test("a receipt opens the screen from anywhere, and never over a question", async () => {
  const { screen, desk } = await serving();
  scan("QT1:KNOWN");
  const dialog = await screen.findByRole("dialog", { name: "找回小票" });
  await waitFor(() => expect(dialog.textContent).toContain("账上已有"));
  desk.receiptsBack.close();
  await waitFor(() => expect(document.querySelector("dialog[open]")).toBeNull());
  desk.helping = true;
  await screen.findByRole("dialog");
  scan("QT1:NEW-1");
  await waitFor(() =>
    expect(document.querySelector("[role=log]")?.textContent).toContain("小票没有入账"),
  );
  expect(desk.receiptsBack.open).toBe(false);
});
