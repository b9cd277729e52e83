import { waitFor } from "@testing-library/dom";
import { expect, test } from "vitest";

import { serving } from "./window";

const MANAGER = "2001";

test("two copies are printed alone, and each more by a manager's PIN", async () => {
  const { counter, desk, screen, user } = await serving();
  await user.keyboard("1c300{Enter}");
  await waitFor(() => expect(counter.books.orders[0]?.stage).toBe("credited"));
  desk.receiptOf = counter.books.orders[0]!.id;
  await screen.findByRole("dialog", { name: "小票预览" });
  const printed = () => counter.books.prints.filter(({ copy }) => copy > 0).map(({ copy }) => copy);
  for (const copy of [1, 2]) {
    await user.keyboard("r");
    await screen.findByText(`已加入打印队列：补打 COPY ${copy}`);
  }
  await user.keyboard("r");
  await screen.findByRole("dialog", { name: "再补打一份" });
  await screen.findByText(/已补打 2 次/);
  expect(screen.getByRole("textbox", { name: "店长工号" })).toBe(document.activeElement);
  await user.keyboard("r{Enter}");
  expect(printed()).toEqual([2, 1]);
  await user.clear(screen.getByRole("textbox", { name: "店长工号" }));
  await user.keyboard(`${MANAGER}{Tab}0000{Enter}`);
  expect(await screen.findByText(/PIN 不正确|PIN 错误|还可以/)).toBeTruthy();
  expect(printed()).toEqual([2, 1]);
  await user.keyboard(`${MANAGER}{Enter}`);
  await screen.findByText("已加入打印队列：补打 COPY 3");
  expect(printed()).toEqual([3, 2, 1]);
  await user.keyboard("r");
  await screen.findByRole("dialog", { name: "再补打一份" });
  await user.keyboard("{Escape}");
  await screen.findByRole("dialog", { name: "小票预览" });
  expect(printed()).toEqual([3, 2, 1]);
});
