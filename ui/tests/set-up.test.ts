import { within } from "@testing-library/dom";
import { expect, test } from "vitest";

import { openWindow } from "./window";

async function opened(scene: "accounts_here" | "accounts_there") {
  const window = await openWindow(scene);
  await window.screen.findByRole("navigation", { name: "主导航" });
  await window.user.keyboard("{F9}");
  await window.user.click(await window.screen.findByRole("button", { name: "收款渠道" }));
  return window;
}

test("a server elsewhere is looked at, and nothing is entered", async () => {
  const { screen, user, counter } = await opened("accounts_there");
  expect(await screen.findByText("qiantai-server pay wechat check")).toBeTruthy();
  expect(screen.queryByRole("button", { name: /^填写/ })).toBeNull();
  await user.click(screen.getByRole("button", { name: "检查微信支付" }));
  const good = within(await screen.findByRole("region", { name: "微信支付的检查" }));
  expect(good.getAllByText("通过")).toHaveLength(9);
  expect(good.getByText(/商户证书.*还有 21 天到期/)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "检查支付宝" }));
  const bad = within(await screen.findByRole("region", { name: "支付宝的检查" }));
  expect(bad.getByRole("alert").textContent).toContain("平台不认本店的签名");
  expect(bad.getAllByText("通过")).toHaveLength(8);
  expect(screen.queryByRole("button", { name: "检查银联" })).toBeNull();
  counter.refuse("check_account", {
    code: "server_unreachable",
    message_key: "error.accounts_unreachable",
  });
  await user.click(screen.getByRole("button", { name: "检查支付宝" }));
  expect((await screen.findByRole("alert")).textContent).toContain("没有检查");
});

test("what is entered wrongly stays to be corrected, and leaves the page when it is taken", async () => {
  const { screen, user, counter } = await opened("accounts_here");
  await user.click(await screen.findByRole("button", { name: "填写微信支付" }));
  const form = within(await screen.findByRole("form", { name: "填写微信支付" }));
  const save = () => form.getByRole("button", { name: "检查并启用" }) as HTMLButtonElement;
  expect(save().disabled).toBe(true);
  const key = form.getByRole("textbox", { name: "APIv3 密钥" });
  expect(key.classList.contains("covered")).toBe(true);
  await user.type(form.getByRole("textbox", { name: "商户号" }), "1900000109");
  await user.type(key, "short");
  const pin = form.getByLabelText("你的 PIN");
  await user.type(pin, "1");
  await user.click(save());
  expect(await form.findByText(/PIN 不对/)).toBeTruthy();
  await user.type(pin, "2001");
  await user.click(save());
  expect((await screen.findByRole("alert")).textContent).toContain("现在是 5 个");
  expect(form.getByText("请看这一项")).toBeTruthy();
  expect((form.getByRole("textbox", { name: "商户号" }) as HTMLInputElement).value).toBe(
    "1900000109",
  );
  await user.clear(key);
  // Quicker than any hand: a key is never taken for a scan, which would show it elsewhere.
  await user.type(key, "0123456789abcdef0123456789abcdef");
  await user.click(save());
  await screen.findByRole("region", { name: "微信支付的检查" });
  expect(document.body.textContent).not.toContain("0123456789abcdef");
  const account = counter.books.accounts.accounts[0];
  expect(account?.fields.filter(({ filled }) => filled).map(({ place }) => place)).toEqual([
    "mchid",
    "api_v3_key",
  ]);
  await user.click(screen.getByRole("button", { name: "填写微信支付" }));
  const again = within(await screen.findByRole("form", { name: "填写微信支付" }));
  const emptied = again.getByRole("textbox", { name: "APIv3 密钥" }) as HTMLTextAreaElement;
  expect(emptied.value).toBe("");
  expect(again.getAllByText("已填；留空就不变").length).toBe(2);
});

test("a key comes from its file", async () => {
  const { screen, user } = await opened("accounts_here");
  await user.click(await screen.findByRole("button", { name: "填写微信支付" }));
  const form = within(await screen.findByRole("form", { name: "填写微信支付" }));
  const field = form.getByRole("textbox", { name: "商户私钥" }) as HTMLTextAreaElement;
  const chooser = field.parentElement?.querySelector("input[type=file]") as HTMLInputElement;
  await user.upload(chooser, new File(["-----BEGIN PRIVATE KEY-----"], "apiclient_key.pem"));
  await expect.poll(() => field.value).toBe("-----BEGIN PRIVATE KEY-----");
  await user.upload(chooser, new File([new Uint8Array(300_000)], "film.mp4"));
  const said = (await form.findByRole("alert")).textContent;
  expect(said).toContain("film.mp4");
  expect(said).toContain("293 KB");
  expect(field.value, "what was filled in stays").toBe("-----BEGIN PRIVATE KEY-----");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  await user.upload(chooser, new File(["-----BEGIN RSA PRIVATE KEY-----"], "other.pem"));
  await expect.poll(() => field.value).toBe("-----BEGIN RSA PRIVATE KEY-----");
  expect(form.queryByRole("alert")).toBeNull();
});

test("a terminal is activated by a code, and a code that is refused changes nothing", async () => {
  const { screen, user, counter } = await opened("accounts_here");
  await user.click(await screen.findByRole("button", { name: "填写收钱吧" }));
  const form = within(await screen.findByRole("form", { name: "填写收钱吧" }));
  const code = form.getByRole("textbox", { name: "激活码" });
  await user.type(form.getByRole("textbox", { name: "开发者序列号" }), "91800001");
  await user.type(code, "A1");
  await user.type(form.getByLabelText("你的 PIN"), "2001");
  await user.click(form.getByRole("button", { name: "检查并启用" }));
  const alert = (await screen.findByRole("alert")).textContent;
  expect(alert).toContain("没有激活");
  expect(alert).toContain("什么也没改");
  expect(screen.getByText("本机已激活为收款终端")).toBeTruthy();
  const account = counter.books.accounts.accounts.find(({ name }) => name === "shouqianba");
  expect(account?.state).toBe("not_set_up");
  await user.type(code, "B2C3");
  await user.click(form.getByRole("button", { name: "检查并启用" }));
  const good = within(await screen.findByRole("region", { name: "收钱吧的检查" }));
  expect(good.getAllByText("通过")).toHaveLength(10);
  expect(account?.state).toBe("up");
});

test("nobody but a manager sees it", async () => {
  const { screen, user } = await openWindow("counter");
  await screen.findByRole("combobox");
  await user.keyboard("{F9}");
  await screen.findByRole("heading", { name: "设置" });
  expect(screen.queryByRole("button", { name: "收款渠道" })).toBeNull();
});

test("a manager hears at the counter what ends soon, and finds it beside the account", async () => {
  const { screen } = await opened("accounts_here");
  expect(await screen.findByText(/^支付宝：.*还有 21 天到期/)).toBeTruthy();
  expect(await screen.findByText(/^应用证书.*还有 21 天到期/)).toBeTruthy();
});
