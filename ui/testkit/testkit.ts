import { findByRole, getRoles, queryAllByRole } from "@testing-library/dom";
import axe, { type Result } from "axe-core";

import { asRead, turns } from "../src/i18n/bidi";

type Spill = {
  kind: "window" | "part" | "list" | "cut" | "control" | "turned" | "covered";
  aside: boolean;
  what: string;
};

/** What people press: its words must be read to their end. */
const CONTROL = "button, summary, a, label:has(input)";
/** Not for eyes, or drawn and not written. */
const UNSEEN = ".unseen, [aria-hidden=true], svg";

/** By how many px what is in an element is wider and higher than the element. */
const over = (element: Element): [wide: number, high: number] => [
  element.scrollWidth - element.clientWidth,
  element.scrollHeight - element.clientHeight,
];

const named = (element: Element) => `${element.tagName.toLowerCase()}.${element.className}`;

function ofPage(): Spill[] {
  const [wide, high] = over(document.documentElement);
  const spills: Spill[] = [];
  if (wide > 0) spills.push({ kind: "window", aside: true, what: `window too wide by ${wide} px` });
  if (high > 0)
    spills.push({ kind: "window", aside: false, what: `window too high by ${high} px` });
  return spills;
}

function ofPart(element: HTMLElement): Spill[] {
  if (element.closest(UNSEEN) !== null) return [];
  const [wide, high] = over(element);
  const { overflowX, overflowY, textOverflow, display } = getComputedStyle(element);
  const forReadersOnly = element.clientWidth <= 1;
  if (display === "inline" || forReadersOnly || (wide <= 1 && high <= 1)) return [];
  const name = named(element);
  const spills: Spill[] = [];
  const cut = /hidden|clip/;
  const scrolls = /auto|scroll/;
  const isShortened = textOverflow === "ellipsis";
  const kind = element.hasAttribute("data-list") ? "list" : "part";
  if (wide > 1 && cut.test(overflowX) && !isShortened)
    spills.push({ kind: "cut", aside: true, what: `${name} is cut off by ${wide} px at its side` });
  if (high > 1 && cut.test(overflowY) && !isShortened)
    spills.push({ kind: "cut", aside: false, what: `${name} is cut off by ${high} px below` });
  if (wide > 1 && scrolls.test(overflowX))
    spills.push({ kind, aside: true, what: `${name} scrolls aside ${wide} px` });
  if (high > 1 && scrolls.test(overflowY))
    spills.push({ kind, aside: false, what: `${name} scrolls by ${high} px` });
  return spills;
}

/** Words that leave their control, or end in it before they are over and are not said on hover. */
function ofControl(control: HTMLElement): Spill[] {
  if (control.closest(UNSEEN) !== null || !control.checkVisibility()) return [];
  const box = control.getBoundingClientRect();
  const words = document.createTreeWalker(control, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const spills: Spill[] = [];
  while (words.nextNode() !== null) {
    const text = words.currentNode as Text;
    const holder = text.parentElement?.closest<HTMLElement>(":not(bdi)") ?? null;
    const isBlank = text.data.trim() === "";
    if (isBlank || holder === null || holder.closest(`${UNSEEN}, [title]`) !== null) continue;
    range.selectNodeContents(text);
    const leaves = [...range.getClientRects()].some(
      ({ left, right, top, bottom }) =>
        left < box.left - 1 ||
        right > box.right + 1 ||
        (top + bottom) / 2 < box.top ||
        (top + bottom) / 2 > box.bottom,
    );
    const ends = holder.scrollWidth > holder.clientWidth + 1 && holder.clientWidth > 0;
    const isShortened = getComputedStyle(holder).textOverflow === "ellipsis" && ends;
    if (leaves || isShortened)
      spills.push({
        kind: "control",
        aside: true,
        what: `${named(control)} cuts off “${text.data}”`,
      });
  }
  return spills;
}

/** The first of `texts` that can be seen, from `from` on in the first of them. */
function firstSeen(texts: Text[], from: number): Range | null {
  for (const [place, text] of texts.entries()) {
    const start = place === 0 ? from : 0;
    const skipped = /^[\s\u2066-\u2069]*/.exec(text.data.slice(start))?.[0].length ?? 0;
    if (start + skipped >= text.length) continue;
    const range = document.createRange();
    range.setStart(text, start + skipped);
    range.setEnd(text, text.length);
    return range;
  }
  return null;
}

/** What follows a word that is written from right to left, and stands before it or in it. */
function ofLine(block: HTMLElement): Spill[] {
  const walk = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walk.nextNode() !== null) texts.push(walk.currentNode as Text);
  return texts.flatMap((text, place) => {
    const turned = turns(text.data);
    if (turned === null || blockOf(text) !== block) return [];
    const own = texts.slice(place).filter((other) => blockOf(other) === block);
    const next = firstSeen(own, turned.end);
    const word = document.createRange();
    word.setStart(text, turned.start);
    word.setEnd(text, turned.end);
    const [last, follows] = [[...word.getClientRects()].at(-1), next?.getClientRects()[0]];
    if (last === undefined || follows === undefined || follows.top >= last.bottom - 1) return [];
    if (follows.left >= last.right - 1) return [];
    const what = `“${next?.toString().slice(0, 20)}” stands before “${word.toString()}”`;
    return [{ kind: "turned" as const, aside: true, what }];
  });
}

const blockOf = (text: Text): Element | null => {
  let element = text.parentElement;
  while (element !== null && getComputedStyle(element).display === "inline")
    element = element.parentElement;
  return element;
};

/** What a notice lies over: a control, or an amount. */
function ofNotice(notice: HTMLElement): Spill[] {
  const STEP_PX = 12;
  const { left, right, top, bottom } = notice.getBoundingClientRect();
  const below = new Set<Element>();
  for (let x = left + 1; x < right; x += STEP_PX)
    for (let y = top + 1; y < bottom; y += STEP_PX)
      for (const element of document.elementsFromPoint(x, y))
        if (!notice.contains(element)) below.add(element);
  const isAmount = ({ childNodes }: Element) =>
    [...childNodes].some((node) => node instanceof Text && /[¥￥]\s*\d/.test(node.data));
  return [...below]
    .filter(
      (element) => element.matches(`${CONTROL}, input, textarea, select`) || isAmount(element),
    )
    .map((element) => {
      const words = element.textContent?.trim().slice(0, 30) ?? "";
      return {
        kind: "covered",
        aside: false,
        what: `a notice covers ${named(element)} “${words}”`,
      };
    });
}

const byName = (name: string | RegExp) => (accessible: string) =>
  typeof name === "string" ? asRead(accessible) === name : name.test(asRead(accessible));

/** What whole-window tests need inside the page: finding by role and name, and axe. */
const testkit = {
  /** The one element of this role and accessible name; rejects after `timeout` ms. */
  findByRole: (role: string, name: string | RegExp, timeout = 5000): Promise<HTMLElement> =>
    findByRole(document.body, role, { name: byName(name) }, { timeout }),

  /** All visible elements of this role and accessible name, at once. */
  queryAllByRole: (role: string, name?: string | RegExp): HTMLElement[] =>
    queryAllByRole(document.body, role, name === undefined ? {} : { name: byName(name) }),

  /** Every role on the screen, for the message of a failed test. */
  roles: (): string[] => Object.keys(getRoles(document.body)),

  /** Runs axe on the whole window against WCAG 2.2 AA and its best practices. */
  axe: async (): Promise<Pick<Result, "id" | "help" | "nodes">[]> => {
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    return (await axe.run(document, { runOnly })).violations;
  },

  /** What does not fit: what scrolls, text that is cut off, or that an Arabic name turns around. */
  spills: (): Spill[] => {
    const parts = [...document.querySelectorAll<HTMLElement>("body *")];
    const controls = parts.filter((element) => element.matches(CONTROL));
    const turned = parts.filter((element) => element.checkVisibility()).flatMap(ofLine);
    const notices = [...document.querySelectorAll<HTMLElement>("[role=log] > *")];
    return [
      ...ofPage(),
      ...notices.flatMap(ofNotice),
      ...parts.flatMap(ofPart),
      ...controls.flatMap(ofControl),
      ...turned,
    ];
  },
};

export type Testkit = typeof testkit;

Object.assign(window, { __testkit: testkit });
