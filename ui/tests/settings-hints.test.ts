import { expect, test } from "vitest";

import { openWindow } from "./window";

/** What a keyboard reaches: a field, or a group of radios as one. */
function controls(root: HTMLElement): Set<Element> {
  const fields = [...root.querySelectorAll<HTMLInputElement>("input, select, textarea")];
  return new Set(
    fields
      .filter((field) => field.type !== "file")
      .map((field) => (field.type === "radio" ? (field.closest("fieldset") ?? field) : field)),
  );
}

const words = (id: string) => document.getElementById(id)?.textContent.trim() ?? "";

/** The controls that no words describe, by what they are called. */
function bare(root: HTMLElement): string[] {
  return [...controls(root)]
    .filter((control) => {
      const ids = control.getAttribute("aria-describedby")?.split(" ") ?? [];
      return ids.length === 0 || ids.some((id) => words(id) === "");
    })
    .map((control) => control.closest("label, .field, fieldset, div")?.textContent.trim() ?? "");
}

async function settings(part: string) {
  const window = await openWindow("counter");
  await window.screen.findByRole("combobox");
  await window.user.keyboard("{F9}");
  await window.user.click(await window.screen.findByRole("button", { name: part }));
  await window.screen.findByRole("heading", { name: part });
  return { ...window, root: window.screen.getByRole("region", { name: "设置" }) };
}

test.each(["屏幕与声音", "收银设置"])(
  "every control of %s says what a wrong choice does",
  async (part) => {
    const { root } = await settings(part);
    expect(controls(root).size).toBeGreaterThan(3);
    expect(bare(root)).toEqual([]);
  },
);

test("every control of the printers says what a wrong choice does", async () => {
  const { root, screen, user } = await settings("小票打印机");
  await screen.findByRole("radio", { name: "USB 打印机" });
  await user.click(screen.getByRole("checkbox", { name: "另设一台备用打印机" }));
  for (const device of ["主打印机", "备用打印机"]) {
    await user.click(screen.getByRole("radio", { name: device }));
    for (const target of ["网络打印机", "USB 打印机", "系统打印机", "文件夹"]) {
      await user.click(screen.getByRole("radio", { name: target }));
      expect(controls(root).size, target).toBeGreaterThan(6);
      expect(bare(root), `${device} ${target}`).toEqual([]);
    }
  }
});

test("a checkbox of the printer is described by its harm", async () => {
  const { screen } = await settings("小票打印机");
  const described = (name: RegExp) =>
    words(screen.getByRole("checkbox", { name }).getAttribute("aria-describedby") ?? "");
  expect(described(/^钱箱/)).toContain("钥匙");
  expect(described(/备用打印机/)).toContain("不开钱箱");
});
