import { expect, test } from "vitest";

import { openWindow } from "./window";

async function settings() {
  const window = await openWindow("counter");
  await window.screen.findByRole("combobox");
  await window.user.keyboard("{F9}");
  await window.user.click(await window.screen.findByRole("button", { name: "小票打印机" }));
  const form = await window.screen.findByRole("form", { name: "小票打印机" });
  return { ...window, form };
}

test("a printer of the system is chosen from those it has, tested and saved", async () => {
  const { user, screen, counter } = await settings();
  await user.click(screen.getByRole("radio", { name: "系统打印机" }));
  await user.click(screen.getByRole("button", { name: "打印测试页" }));
  await screen.findByText("请选择一台系统里的打印机");
  const queues = await screen.findByRole("combobox", { name: "系统里的打印机" });
  await screen.findByRole("option", { name: "Office_A4（已暂停）" });
  await user.selectOptions(queues, "Receipt_80mm");
  await user.click(screen.getByRole("radio", { name: "PDF 页面" }));
  await user.click(screen.getByRole("radio", { name: "全部图像" }));
  await user.click(screen.getByRole("button", { name: "打印测试页" }));
  await screen.findByText(/测试页已送出/);
  await user.click(screen.getByRole("button", { name: "保存" }));
  await screen.findByText(/已保存/);
  expect(counter.books.session.settings.printer).toMatchObject({
    target: { kind: "spooler", queue: "Receipt_80mm", form: "pdf" },
    glyphs: "pictures",
    spare: null,
  });
});

test("a test page that does not come out says why", async () => {
  const { user, screen } = await settings();
  const host = screen.getByRole("textbox", { name: "主机名或地址" });
  await user.clear(host);
  await user.type(host, "192.168.1.99");
  await user.click(screen.getByRole("button", { name: "打印测试页" }));
  expect((await screen.findByRole("alert")).textContent).toContain("打印机连不上");
});

test("a spare printer is checked by itself and saved beside the first", async () => {
  const { user, screen, form, counter } = await settings();
  await user.click(screen.getByRole("checkbox", { name: "另设一台备用打印机" }));
  const spare = await screen.findByRole("group", { name: "备用打印机" });
  expect(form.contains(spare)).toBe(true);
  await user.click(screen.getByRole("button", { name: "保存" }));
  await screen.findByText("请填写打印机的主机名或地址");
  await user.type(screen.getByRole("textbox", { name: "主机名或地址" }), "192.168.1.51");
  await user.click(screen.getByRole("button", { name: "保存" }));
  await screen.findByText(/已保存/);
  expect(counter.books.session.settings.printer.spare).toEqual({
    target: { kind: "network", host: "192.168.1.51", port: 9100 },
    paper_mm: 80,
    glyphs: "gbk",
  });
});

test("a printer on USB is chosen by its name, and stays chosen while it is away", async () => {
  const { user, screen, counter } = await settings();
  await user.click(await screen.findByRole("radio", { name: "USB 打印机" }));
  await user.click(screen.getByRole("button", { name: "打印测试页" }));
  await screen.findByText("请选择一台 USB 打印机");
  const found = screen.getByRole("combobox", { name: "插在电脑上的打印机" });
  await user.selectOptions(found, "GP-C80250");
  await user.click(screen.getByRole("button", { name: "打印测试页" }));
  expect((await screen.findByRole("alert")).textContent).toContain("没有使用 USB 打印机的权限");
  await user.selectOptions(found, "EPSON TM-T20II");
  await user.click(screen.getByRole("button", { name: "打印测试页" }));
  await screen.findByText(/测试页已送出/);
  await user.click(screen.getByRole("button", { name: "保存" }));
  await screen.findByText(/已保存/);
  const [epson] = counter.books.usb;
  const { target } = counter.books.session.settings.printer;
  expect(target).toEqual({ kind: "usb", ...epson });

  counter.books.usb = [];
  await user.keyboard("{F8}");
  await screen.findByRole("heading", { name: "同步与打印" });
  await user.keyboard("{F9}");
  await user.click(await screen.findByRole("button", { name: "小票打印机" }));
  await screen.findByRole("option", { name: "EPSON TM-T20II（没有插上）" });
  counter.books.usb = [{ ...epson!, port: "1-4" }];
  await user.click(screen.getByRole("button", { name: "重新查找" }));
  await screen.findByRole("option", { name: "EPSON TM-T20II" });
});
