import { waitFor, within } from "@testing-library/dom";
import { expect, test } from "vitest";

import type { SceneName } from "../src/platform/demo/scenes";
import { openWindow } from "./window";

test("Enter goes on and Esc goes back, and Esc in a field leaves the field first", async () => {
  const { user, screen, counter } = await openWindow("first_start_receipt");
  const address = await screen.findByRole("textbox", { name: "地址" });
  await user.type(address, "文三路 1 号{Escape}");
  expect(document.activeElement).not.toBe(address);
  expect(address).toHaveProperty("value", "文三路 1 号");
  await user.keyboard("{Enter}");
  await screen.findByRole("button", { name: "没有打印机，以后再设" });
  const keys = () => [...document.querySelectorAll("kbd")].map((key) => key.textContent);
  expect(keys()).toEqual(["Esc", "Enter"]);
  await user.keyboard("{Escape}");
  expect(await screen.findByRole("textbox", { name: "地址" })).toBeTruthy();
  expect(counter.calls.filter(({ name }) => name === "set_up").length).toBe(2);
});

test("a shop is made from the welcome to the sign-in", async () => {
  const { user, screen, counter } = await openWindow("first_start");
  await user.click(await screen.findByRole("button", { name: "开一家新店" }));
  await user.type(await screen.findByRole("textbox", { name: "店名" }), "云上美发");
  await user.click(screen.getByRole("radio", { name: "美容" }));
  await user.click(screen.getByRole("radio", { name: "上海健身规定（2025 年 3 月起）" }));
  await user.click(screen.getByRole("radio", { name: "绿" }));
  await user.click(screen.getByRole("button", { name: "下一步" }));

  const last = await screen.findByRole("textbox", { name: /最后一组/ });
  await user.type(last, "9wxz{Enter}");

  await user.type(await screen.findByRole("textbox", { name: "店主姓名" }), "周岚");
  await user.type(screen.getByRole("textbox", { name: "PIN" }), "8021");
  await user.type(screen.getByRole("textbox", { name: "再输一次 PIN" }), "8021{Enter}");
  const people = await screen.findByRole("list", { name: "这家店的人" });
  expect(within(people).getByText("周岚")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "下一步" }));

  await user.type(await screen.findByRole("textbox", { name: "地址" }), "文三路 1 号");
  await user.type(screen.getByRole("textbox", { name: "电话" }), "0571-88880000");
  await user.click(screen.getByRole("button", { name: "下一步" }));

  await user.click(await screen.findByRole("button", { name: "没有打印机，以后再设" }));
  await user.click(await screen.findByRole("checkbox", { name: "微信" }));
  await user.click(screen.getByRole("button", { name: "开店" }));
  expect(await screen.findByText("谁来收银？")).toBeTruthy();

  const answers = counter.calls.filter(({ name }) => name === "set_up").map((call) => call.payload);
  expect(answers).toContainEqual({
    kind: "shop",
    shop: {
      ...{ name: "云上美发", trade: "beauty", profile: "shanghai_gym", bonus: false },
      brand: { accent: "green", short_name: null },
    },
  });
  expect(answers.at(-1)).toEqual({
    kind: "methods",
    methods: ["wechat", "cash", "card", "transfer"],
    merchant_account: null,
  });
});

test("a printer that is plugged in is chosen already", async () => {
  const { user, screen, counter } = await openWindow("first_start_printer");
  const found = await screen.findByRole("combobox", { name: "插在电脑上的打印机" });
  expect(found).toHaveProperty("selectedOptions.0.textContent", "EPSON TM-T20II");
  await user.click(screen.getByRole("button", { name: "下一步" }));
  const answers = counter.calls.filter(({ name }) => name === "set_up").map((call) => call.payload);
  expect(answers.at(-1)).toMatchObject({
    kind: "printer",
    printer: { target: { kind: "usb", name: "EPSON TM-T20II", serial: "J4ZF001342" } },
  });
});

test("the account of the shop's code is asked for with it, and wrong fields are named", async () => {
  const { user, screen, counter } = await openWindow("first_start_methods");
  await user.click(await screen.findByRole("checkbox", { name: "店码" }));
  const merchant = await screen.findByRole("textbox", { name: "商户号（15 位）" });
  await user.type(merchant, "6000");
  counter.refuse("set_up", {
    code: "invalid_input",
    message_key: "error.set_up_places",
    params: { field: "merchant", places: "15" },
  });
  await user.click(screen.getByRole("button", { name: "开店" }));
  expect(await screen.findByText("要正好 15 位")).toBeTruthy();
  expect(merchant.getAttribute("aria-invalid")).toBe("true");
  expect(merchant).toHaveProperty("value", "6000");
  expect(counter.calls.at(-1)).toMatchObject({
    payload: {
      kind: "methods",
      methods: ["cash", "card", "transfer", "shop_code"],
      merchant_account: { acquirer: "", merchant: "6000" },
    },
  });
});

test("what is wrong is said next to its field, and what was typed stays", async () => {
  const { user, screen } = await openWindow("first_start_people");
  const name = await screen.findByRole("textbox", { name: "店主姓名" });
  await user.type(name, "周岚");
  const pin = screen.getByRole("textbox", { name: "PIN" });
  await user.type(pin, "12{Enter}");
  await waitFor(() => expect(pin.getAttribute("aria-invalid")).toBe("true"));
  expect(screen.getByText("PIN 要 4 到 8 位数字")).toBeTruthy();
  await user.type(pin, "67{Enter}");
  await screen.findByText("两次输入的 PIN 不一样");
  expect((name as HTMLInputElement).value).toBe("周岚");
  const next = screen.getByRole("button", { name: "下一步" });
  expect((next as HTMLButtonElement).disabled).toBe(true);
});

const STEPS: SceneName[] = [
  "first_start_shop",
  "first_start_code",
  "first_start_people",
  "first_start_receipt",
  "first_start_printer",
  "first_start_methods",
];

test.each(STEPS)("training is one click away from %s", async (scene) => {
  const { user, screen, counter } = await openWindow(scene);
  await user.click(await screen.findByRole("button", { name: "先练习一下" }));
  await screen.findByText("练习窗口正在打开。这里的进度会保留。");
  expect(counter.trained).toEqual(["zh-CN"]);
});

test("a code is scanned once joining was chosen", async () => {
  const { user, screen } = await openWindow("first_start");
  await user.click(await screen.findByRole("button", { name: "加入已有门店" }));
  const field = await screen.findByRole("textbox", { name: "登记码" });
  await waitFor(() => expect(document.activeElement).toBe(field));
  await user.keyboard("QTE1hHgZ{Enter}");
  expect(await screen.findByText("谁来收银？")).toBeTruthy();
});

test("the language is chosen before anything else is asked", async () => {
  const { user, screen, counter } = await openWindow("first_start");
  const languages = await screen.findByRole("group", { name: "语言" });
  await user.click(within(languages).getByRole("radio", { name: "English" }));
  expect(await screen.findByRole("heading", { name: "Welcome to Qiantai" })).toBeTruthy();
  expect(counter.books.session.settings.language).toBe("en");
});
