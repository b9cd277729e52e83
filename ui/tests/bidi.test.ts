import { expect, test } from "vitest";

import { apart, asRead, turns } from "../src/i18n/bidi";
import { fill } from "../src/i18n/lookup";
import { openWindow } from "./window";

const PLURAL = new Intl.PluralRules("zh-CN");
const TURNED = "محمد علي";

test("a name from right to left is set apart in every sentence, and no other text is", () => {
  for (const [member, said] of [
    ["张伟", "张伟 · ¥300.00"],
    ["Anna O'Neill-Müller 2", "Anna O'Neill-Müller 2 · ¥300.00"],
    [TURNED, `\u2068${TURNED}\u2069 · ¥300.00`],
    ["דוד", "\u2068דוד\u2069 · ¥300.00"],
    ["张伟 (محمد)", "\u2068张伟 (محمد)\u2069 · ¥300.00"],
    ["𞤀𞤣𞤢𞤥", "\u2068𞤀𞤣𞤢𞤥\u2069 · ¥300.00"],
  ] as const) {
    const sentence = fill("{member} · {pay_fen}", { member, pay_fen: 30_000 }, PLURAL);
    expect(sentence).toBe(said);
    expect(asRead(sentence)).toBe(`${member} · ¥300.00`);
  }
});

test("where a text turns is told to the letter", () => {
  expect(turns("会员 张伟")).toBeNull();
  expect(turns(`会员 ${TURNED}，¥1`)).toEqual({ start: 3, end: 3 + TURNED.length });
  expect(turns(apart(TURNED))).toEqual({ start: 1, end: 1 + TURNED.length });
  expect(turns("𠀀𞤀𞤣𞤢𞤥 1")).toEqual({ start: 2, end: 10 });
});

test("wherever a member is shown, the name stands alone", async () => {
  const { user, screen } = await openWindow("counter");
  await user.type(await screen.findByRole("combobox"), "محمد");
  const hit = await screen.findByRole("option", { name: new RegExp(TURNED) });
  expect(hit.querySelector("bdi")?.textContent).toBe(TURNED);
  await user.keyboard("{Enter}");
  const title = await screen.findByRole("heading", { name: /充值$/ });
  expect(title.textContent).toContain(apart(TURNED));
  const panel = screen.getByRole("region", { name: "会员" });
  expect(panel.querySelector("bdi")?.textContent).toBe(TURNED);
});
