import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { openWindow } from "./window";

async function opened(part: string) {
  const window = await openWindow("counter");
  const { screen, user } = window;
  await screen.findByRole("combobox");
  await user.keyboard("{F9}");
  await user.click(await screen.findByRole("button", { name: part }));
  await screen.findByRole("heading", { name: part });
  const press = async (name: string | RegExp) =>
    user.click(await screen.findByRole("button", { name }));
  const allow = async (pin = "2001") => {
    const dialog = within(await screen.findByRole("dialog", { name: "店长确认" }));
    const number = dialog.getByRole("textbox", { name: "店长工号" });
    await user.clear(number);
    await user.type(number, "2001");
    await user.type(dialog.getByLabelText(/PIN/), `${pin}{Enter}`);
  };
  return { ...window, press, allow };
}

test("what is wrong is said before a manager is called", async () => {
  const { screen, user, press, counter } = await opened("员工");
  await user.type(await screen.findByRole("textbox", { name: "姓名" }), "林小满");
  await user.type(screen.getByRole("textbox", { name: "PIN" }), "12");
  await press("添加");
  expect(await screen.findByText("PIN 要 4 到 8 位数字")).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(counter.books.rules.version).toBe(1);
});

test("somebody joins by a manager's PIN, gets another role and leaves", async () => {
  const { screen, user, press, allow, counter } = await opened("员工");
  await user.type(await screen.findByRole("textbox", { name: "姓名" }), "林小满");
  await user.type(screen.getByRole("textbox", { name: "PIN" }), "4713");
  await user.type(screen.getByRole("textbox", { name: "再输一次 PIN" }), "4713{Enter}");
  expect(await screen.findByText("添加 林小满（收银）")).toBeTruthy();
  await allow("0000");
  expect(await screen.findByText(/PIN 不对/)).toBeTruthy();
  expect(counter.books.rules.version).toBe(1);
  await allow();
  const people = within(await screen.findByRole("list", { name: "这家店的人" }));
  await people.findByText("林小满");
  const name: HTMLInputElement = await screen.findByRole("textbox", { name: "姓名" });
  await waitFor(() => expect(name.isConnected && name.value).toBe(""));

  await press("把 林小满 设为店长");
  await allow();
  await people.findByRole("button", { name: "把 林小满 设为收银" });
  await press("林小满 离职");
  await allow();
  await people.findByRole("button", { name: "林小满 复职" });
  expect(people.queryByRole("button", { name: "给 林小满 换 PIN" })).toBeNull();
});

test("the last manager stays", async () => {
  const { screen, press } = await opened("员工");
  await press("王敏 离职");
  expect(await screen.findByText(/至少要有一位店长/)).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("a PIN is given anew", async () => {
  const { screen, user, press, allow, counter } = await opened("员工");
  await press("给 陈静 换 PIN");
  await user.type(await screen.findByRole("textbox", { name: "PIN" }), "5927");
  await user.type(screen.getByRole("textbox", { name: "再输一次 PIN" }), "5928{Enter}");
  await screen.findByText("两次输入的 PIN 不一样");
  const again = screen.getByRole("textbox", { name: "再输一次 PIN" });
  await user.clear(again);
  await user.type(again, "5927{Enter}");
  await allow();
  await waitFor(() => expect(counter.books.rules.version).toBe(2));
  expect(await screen.findByRole("textbox", { name: "姓名" })).toBeTruthy();
});

test("the receipt's words and the order of methods are the shop's", async () => {
  const { screen, user, press, allow, counter } = await opened("小票抬头");
  const address = await screen.findByRole("textbox", { name: "地址" });
  await user.clear(address);
  await user.type(address, "新街 8 号{Enter}");
  await allow();
  await waitFor(() => expect(counter.books.rules.receipt.address).toBe("新街 8 号"));

  await press("付款方式");
  await user.click(await screen.findByRole("checkbox", { name: "微信" }));
  const order = () =>
    within(screen.getByRole("list", { name: "收款台上的顺序" }))
      .getAllByRole("listitem")
      .map((row) => row.textContent?.replaceAll(/\s/g, ""));
  expect(order()).toEqual(["1支付宝", "2云闪付", "3刷卡", "4现金", "5对公转账"]);
  const down = screen.getByRole("button", { name: "对公转账 下移" });
  down.focus();
  await user.keyboard("{ArrowDown}");
  expect(await screen.findByText("对公转账 仍是第 5 位，共 5 位")).toBeTruthy();
  screen.getByRole("button", { name: "现金 上移" }).focus();
  await user.keyboard("{ArrowUp}");
  expect(await screen.findByText("现金 现在是第 3 位，共 5 位")).toBeTruthy();
  expect(order()).toEqual(["1支付宝", "2云闪付", "3现金", "4刷卡", "5对公转账"]);
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "现金 上移" })),
  );
  await press("保存");
  await screen.findByText(/收款台只显示：支付宝/);
  await allow();
  await waitFor(() =>
    expect(counter.books.rules.methods).toEqual(["alipay", "unionpay", "cash", "card", "transfer"]),
  );
});

test("the account of the shop's code is entered, changed and taken away", async () => {
  const { screen, user, press, allow, counter } = await opened("付款方式");
  await screen.findByText(/还没有商户账户/);
  expect(screen.queryByRole("checkbox", { name: "店码" })).toBeNull();
  await press("填写账户");
  const fields = { acquirer: "31127040", forwarding: "70002044", merchant: "60000000000000" };
  const type = async (name: RegExp, text: string) => {
    const field = await screen.findByRole("textbox", { name });
    await user.clear(field);
    await user.type(field, text);
  };
  await type(/收单机构代码/, fields.acquirer);
  await type(/转发机构代码/, fields.forwarding);
  await type(/^商户号/, fields.merchant);
  await type(/MCC/, "7298");
  await type(/店名拼音/, "JIANDAN SALON");
  await type(/城市拼音/, "GUANGZHOU");
  await press("保存");
  expect(await screen.findByText(/15/, { selector: ".error" })).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
  await type(/^商户号/, `${fields.merchant}1`);
  await press("保存");
  await screen.findByText(/今后进商户号 600000000000001/);
  await allow();
  await screen.findByText(/直接进商户号 600000000000001/);
  expect(counter.books.rules.methods.at(-1)).toBe("shop_code");
  const order = within(await screen.findByRole("list", { name: "收款台上的顺序" }));
  expect(order.getAllByRole("listitem")).toHaveLength(7);

  await press("修改店码的商户账户");
  await type(/城市拼音/, "FOSHAN");
  await press("返回");
  await press("移除店码的商户账户");
  await allow();
  await screen.findByText(/还没有商户账户/);
  expect(counter.books.rules.methods).not.toContain("shop_code");
});

test("somebody else's change is shown before the next try", async () => {
  const { screen, press, allow, counter } = await opened("员工");
  await press("陈静 离职");
  await screen.findByRole("dialog", { name: "店长确认" });
  counter.books.rules = { ...counter.books.rules, version: 7 };
  await allow();
  expect(await screen.findByText(/刚才有人先改了/)).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();
  await press("陈静 离职");
  await allow();
  await waitFor(() => expect(counter.books.rules.version).toBe(8));
});
