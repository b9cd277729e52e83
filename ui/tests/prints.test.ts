import { within } from "@testing-library/dom";
import { expect, test } from "vitest";

import type { PrintJobView } from "../src/bindings/PrintJobView";
import type { PrintState } from "../src/bindings/PrintState";
import { openWindow } from "./window";

const OFF = "打印机连不上，请检查电源和网线";
const NO_ANSWER = "打印机没有应答，请检查是否缺纸";

type Slip = [state: PrintState, trouble: string | null];

/** The queue with these slips, the newest first, and what a slip's line says. */
async function queue(slips: Slip[]) {
  const window = await openWindow("counter");
  window.counter.books.prints = slips.map(([state, trouble], at): PrintJobView => ({
    id: `p${at}`,
    order_no: `CZ${at}`,
    holder: at === 0 ? "shop" : "member",
    copy: 0,
    state,
    trouble,
    tries: 1,
    queued_at_ms: Date.now(),
  }));
  await window.screen.findByRole("combobox");
  await window.user.keyboard("{F8}");
  await window.screen.findByText("CZ0");
  const line = (at: number) => {
    const item = window.screen.getByText(`CZ${at}`).closest("li")!;
    const buttons = within(item).queryAllByRole("button");
    return {
      reason: item.querySelector(".reason")?.textContent ?? null,
      button: buttons.map((button) => button.textContent?.trim()).join() || null,
    };
  };
  return { ...window, line };
}

test.each<[string, Slip[], ReturnType<Awaited<ReturnType<typeof queue>>["line"]>[]]>([
  ["a slip that just waits", [["queued", null]], [{ reason: null, button: null }]],
  [
    "a slip whose printer is off",
    [["queued", "error.printer_unreachable"]],
    [{ reason: OFF, button: "重试" }],
  ],
  [
    "slips behind it",
    [
      ["queued", null],
      ["queued", "error.printer_unreachable"],
      ["printed", null],
    ],
    [
      { reason: OFF, button: "重试" },
      { reason: OFF, button: "重试" },
      { reason: null, button: null },
    ],
  ],
  [
    "slips behind one that is being tried again",
    [
      ["queued", null],
      ["printing", "error.printer_unreachable"],
    ],
    [
      { reason: OFF, button: "重试" },
      { reason: OFF, button: null },
    ],
  ],
  [
    "a slip behind one that waits for the server",
    [
      ["queued", null],
      ["queued", "error.server_unreachable"],
    ],
    [
      { reason: null, button: null },
      { reason: expect.any(String), button: "重试" },
    ],
  ],
  [
    "a slip behind one that was given up",
    [
      ["queued", null],
      ["failed", "error.printer_timeout"],
    ],
    [
      { reason: null, button: null },
      { reason: NO_ANSWER, button: "重新打印" },
    ],
  ],
])("%s", async (_, slips, expected) => {
  const { line } = await queue(slips);
  expect(slips.map((_, at) => line(at))).toEqual(expected);
});

test("a slip that waits for its printer is tried at once on request", async () => {
  const { user, screen, counter, line } = await queue([["queued", "error.printer_unreachable"]]);
  await user.click(screen.getByRole("button", { name: "重试打印 CZ0 商户联" }));
  expect(counter.books.prints[0]).toMatchObject({ state: "queued", trouble: null });
  await expect.poll(() => line(0)).toEqual({ reason: null, button: null });
});
