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
    printer: "receipt",
    torn: false,
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
    [{ reason: OFF, button: "重试,不打了" }],
  ],
  [
    "slips behind it",
    [
      ["queued", null],
      ["queued", "error.printer_unreachable"],
      ["printed", null],
    ],
    [
      { reason: OFF, button: "重试,不打了" },
      { reason: OFF, button: "重试,不打了" },
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
      { reason: OFF, button: "重试,不打了" },
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
      { reason: expect.any(String), button: "重试,不打了" },
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
      { reason: NO_ANSWER, button: "重新打印,不打了" },
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

const SPARE = {
  target: { kind: "folder", path: "/srv/slips" },
  paper_mm: 80,
  glyphs: "gbk",
} as const;

test("a slip in trouble goes to the spare printer and back", async () => {
  const { user, screen, counter, line } = await queue([["queued", "error.printer_paper_out"]]);
  expect(line(0).reason).toContain("缺纸");
  expect(line(0).button).not.toContain("备用");
  counter.books.session.settings.printer.spare = SPARE;
  counter.emit({ kind: "session" });
  await user.click(await screen.findByRole("button", { name: "改用备用打印机打印 CZ0 商户联" }));
  expect(counter.books.prints[0]).toMatchObject({ state: "queued", printer: "spare" });
  counter.books.prints[0]!.trouble = "error.printer_unreachable";
  counter.emit({ kind: "print", job: counter.books.prints[0]! });
  await user.click(await screen.findByRole("button", { name: "改回小票打印机打印 CZ0 商户联" }));
  expect(counter.books.prints[0]).toMatchObject({ state: "queued", printer: "receipt" });
});

test("a slip that nobody wants is cancelled in words, and can come back", async () => {
  const { user, screen, counter, line } = await queue([["failed", "error.printer_timeout"]]);
  await user.click(screen.getByRole("button", { name: "不打了：CZ0 商户联" }));
  const question = await screen.findByRole("alertdialog", { name: "不再打印这张小票？" });
  expect(question.textContent).toContain("充值和余额不受影响");
  await user.click(screen.getByRole("button", { name: "继续等待打印" }));
  expect(counter.books.prints[0]).toMatchObject({ state: "failed" });
  await user.click(screen.getByRole("button", { name: "不打了：CZ0 商户联" }));
  await user.click(await screen.findByRole("button", { name: "不再打印" }));
  await expect.poll(() => line(0)).toEqual({ reason: null, button: "重新打印" });
  expect(screen.getByText("已取消")).toBeTruthy();
});

test("a torn slip says what comes out next", async () => {
  const { screen, counter } = await queue([["queued", "error.printer_paper_out"]]);
  counter.books.prints[0]!.torn = true;
  counter.emit({ kind: "print", job: counter.books.prints[0]! });
  await screen.findByText("上一次没有打完；再打会出整张，并标“重打”。");
});
