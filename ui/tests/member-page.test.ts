import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { pastOrder } from "../src/platform/demo/books";
import { openWindow, serving } from "./window";

test("F4 shows where the balance comes from, what expires and what was bought", async () => {
  const { user, screen } = await serving();
  await user.keyboard("{F4}");
  const dialog = within(await screen.findByRole("dialog", { name: "会员详情" }));
  const table = within(await dialog.findByRole("table"));
  expect(table.getAllByRole("row")).toHaveLength(3);
  expect(table.getByText("即将到期")).toBeTruthy();
  expect(dialog.getByText(/体验券/).textContent).toContain("× 2");
  expect(dialog.getByText("¥530.00")).toBeTruthy();
  expect(dialog.getByText("累计充值 ¥3,800")).toBeTruthy();
  expect(dialog.getByText("再充 ¥1,200 升金卡")).toBeTruthy();
  const progress = dialog.getByRole("progressbar", { name: "距金卡的进度" });
  expect(progress.getAttribute("aria-valuenow")).toBe("60");
  await user.keyboard("{Escape}");
});

test("members are reached from everywhere: the one at the counter, or the search", async () => {
  const { user, screen, desk } = await openWindow("counter");
  const search = await screen.findByRole("combobox");
  await user.keyboard("{F7}");
  search.blur();
  await user.keyboard("{F2}");
  expect(desk.screen).toBe("counter");
  await waitFor(() => expect(document.activeElement).toBe(search));
  search.blur();
  await user.click(screen.getByRole("button", { name: "会员" }));
  await waitFor(() => expect(document.activeElement).toBe(search));
  await user.type(search, "张伟{Enter}");
  await screen.findByRole("radio", { name: /¥300/ });
  await user.keyboard("{F2}");
  expect(await screen.findByRole("dialog", { name: "会员详情" })).toBeTruthy();
});

test("an order of the history opens", async () => {
  const { user, screen } = await serving();
  await user.keyboard("1c{Enter}");
  await screen.findByRole("heading", { name: "现金已收，余额已更新" });
  await user.keyboard("{F4}");
  const dialog = within(await screen.findByRole("dialog", { name: "会员详情" }));
  await user.click(await dialog.findByRole("button", { name: /¥300.00/ }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(await screen.findByRole("heading", { name: "现金已收，余额已更新" })).toBeTruthy();
});

test("what cannot be shown is said", async () => {
  const { user, screen, counter } = await serving();
  counter.refuse("member_page", { code: "not_found", message_key: "error.member_unknown" });
  await user.keyboard("{F4}");
  expect(await screen.findByRole("alert")).toBeTruthy();
});

test("the history goes on as far back as it is known", async () => {
  const { user, screen, counter } = await serving();
  for (let minutes = 1; minutes <= 45; minutes++) pastOrder(counter.books, "12", minutes, {});
  await user.keyboard("{F4}");
  const dialog = within(await screen.findByRole("dialog", { name: "会员详情" }));
  for (const shown of [20, 40, 45]) {
    await waitFor(() =>
      expect(dialog.getAllByRole("button", { name: /¥300.00/ })).toHaveLength(shown),
    );
    const earlier = dialog.queryByRole("button", { name: "更早的订单" });
    expect(earlier !== null).toBe(shown < 45);
    if (earlier !== null) await user.click(earlier);
  }
});
