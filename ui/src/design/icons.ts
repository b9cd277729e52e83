/** Strokes on a square of 24. */
export const ICONS = {
  counter: "M4 8h16v11H4zM8 8V5h8v3M9 13h6",
  members:
    "M5.5 8a3.5 3.5 0 1 0 7 0 3.5 3.5 0 1 0-7 0M3 20c0-4 3-6 6-6s6 2 6 6M16 5.5a3 3 0 0 1 0 5.5M18 14c2 .7 3.5 2.6 3.5 5",
  orders: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  cases: "M12 3.5L22 20H2zM12 10v4.5M12 17.3v.1",
  settings:
    "M4 7h8M17 7h3M4 17h3M12 17h8M12 7a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0M7 17a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0",
  search: "M4.5 11a6.5 6.5 0 1 0 13 0 6.5 6.5 0 1 0-13 0M16 16l4.5 4.5",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  erase: "M9 6h11v12H9l-6-6zM12 10l4 4M16 10l-4 4",
  receipt: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  keyboard: "M3 7h18v11H3zM6.5 10.5h1M10 10.5h1M13.5 10.5h1M17 10.5h1M8 14.5h8",
  phone: "M7 2.5h10v19H7zM11 18.5h2",
  printer: "M7 9V3.5h10V9M7 17H4V9h16v8h-3M7 14h10v6.5H7z",
} as const;

export type IconName = keyof typeof ICONS;
