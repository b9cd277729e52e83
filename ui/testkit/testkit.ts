import { findByRole, getRoles, queryAllByRole } from "@testing-library/dom";
import axe, { type Result } from "axe-core";

/** What whole-window tests need inside the page: finding by role and name, and axe. */
const testkit = {
  /** The one element of this role and accessible name; rejects after `timeout` ms. */
  findByRole: (role: string, name: string | RegExp, timeout = 5000): Promise<HTMLElement> =>
    findByRole(document.body, role, { name }, { timeout }),

  /** All visible elements of this role and accessible name, at once. */
  queryAllByRole: (role: string, name?: string | RegExp): HTMLElement[] =>
    queryAllByRole(document.body, role, name === undefined ? {} : { name }),

  /** Every role on the screen, for the message of a failed test. */
  roles: (): string[] => Object.keys(getRoles(document.body)),

  /** Runs axe on the whole window against WCAG 2.2 AA and its best practices. */
  axe: async (): Promise<Pick<Result, "id" | "help" | "nodes">[]> => {
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    return (await axe.run(document, { runOnly })).violations;
  },

  /** What does not fit: a window that scrolls, text cut off; if strict, parts that scroll too. */
  spills: (strict: boolean): string[] => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
    const found: string[] = [];
    if (scrollWidth > clientWidth) found.push(`window too wide by ${scrollWidth - clientWidth} px`);
    if (scrollHeight > clientHeight)
      found.push(`window too high by ${scrollHeight - clientHeight} px`);
    for (const element of document.querySelectorAll("body *")) {
      if (element.closest(".unseen, [aria-hidden=true], svg") !== null) continue;
      const wide = element.scrollWidth - element.clientWidth;
      const high = element.scrollHeight - element.clientHeight;
      const { overflowX, overflowY, textOverflow, display } = getComputedStyle(element);
      const forReadersOnly = element.clientWidth <= 1;
      if (display === "inline" || forReadersOnly || (wide <= 1 && high <= 1)) continue;
      const name = `${element.tagName.toLowerCase()}.${element.className}`;
      const cut = /hidden|clip/;
      const scrolls = /auto|scroll/;
      if (wide > 1 && cut.test(overflowX) && textOverflow !== "ellipsis")
        found.push(`${name} is cut off by ${wide} px at its side`);
      if (high > 1 && cut.test(overflowY) && textOverflow !== "ellipsis")
        found.push(`${name} is cut off by ${high} px below`);
      if (!strict || element.hasAttribute("data-list")) continue;
      if (wide > 1 && scrolls.test(overflowX)) found.push(`${name} scrolls aside ${wide} px`);
      if (high > 1 && scrolls.test(overflowY)) found.push(`${name} scrolls by ${high} px`);
    }
    return found;
  },
};

export type Testkit = typeof testkit;

Object.assign(window, { __testkit: testkit });
