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
};

export type Testkit = typeof testkit;

Object.assign(window, { __testkit: testkit });
