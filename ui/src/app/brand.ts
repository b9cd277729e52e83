import type { AccentView } from "../bindings/AccentView";

type Colour = readonly [red: number, green: number, blue: number];
type Theme = "light" | "dark";

/** What a shop's colour becomes on the screen. */
export type Accent = { accent: string; ink: string; soft: string; line: string };

/** The colours that a shop chooses from. */
export const PALETTE = {
  teal: "#0b6b5d",
  blue: "#1257b8",
  purple: "#6b3fa0",
  rose: "#a8235f",
  red: "#a3261f",
  ochre: "#8a5a00",
  green: "#35691b",
  slate: "#41566b",
} as const satisfies Record<AccentView, string>;

/** The house's own colour, as tokens.css has it before anything of a shop is known. */
const HOUSE: Record<Theme, Accent> = {
  light: { accent: "#0b6b5d", ink: "#ffffff", soft: "#e3f1ee", line: "#9cc9bf" },
  dark: { accent: "#4fb8a5", ink: "#06231e", soft: "#17352f", line: "#2c6458" },
};

export const ACCENTS = Object.keys(PALETTE) as AccentView[];

const BLACK: Colour = [0, 0, 0];
const WHITE: Colour = [255, 255, 255];
const PAPER = { light: WHITE, dark: [29, 31, 31] } as const;
/** WCAG AA for text, with a little to spare for rounding. */
const CONTRAST = 4.6;
const STEPS = 50;

/** A colour that was kept by a session before; the house's own for what no palette has. */
export const knownAccent = (kept: unknown): AccentView =>
  ACCENTS.find((name) => name === kept) ?? "teal";

/**
 * The shop's colour, darkened on paper and lightened in the dark until text in it can be read
 * there and on its own soft ground.
 */
export function accentOf(name: AccentView, theme: Theme): Accent {
  if (name === "teal") return HOUSE[theme];
  const paper = PAPER[theme];
  const towards = theme === "light" ? BLACK : WHITE;
  const share = theme === "light" ? 0.12 : 0.18;
  for (let step = 0; step <= STEPS; step += 1) {
    const accent = mix(towards, parse(PALETTE[name]), step / STEPS);
    const soft = mix(accent, paper, share);
    if (contrast(accent, soft) < CONTRAST && step < STEPS) continue;
    const ink = theme === "light" ? WHITE : mix(accent, BLACK, 0.15);
    const line = mix(accent, paper, 0.4);
    return { accent: hex(accent), ink: hex(ink), soft: hex(soft), line: hex(line) };
  }
  throw new Error("black and white can always be read");
}

export function contrastOf(one: string, other: string): number {
  return contrast(parse(one), parse(other));
}

function contrast(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance([red, green, blue]: Colour): number {
  const linear = (value: number) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** `share` of `one`, the rest of `other`. */
function mix(one: Colour, other: Colour, share: number): Colour {
  const part = (at: 0 | 1 | 2) => Math.round(one[at] * share + other[at] * (1 - share));
  return [part(0), part(1), part(2)];
}

function parse(colour: string): Colour {
  const part = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}

const hex = (colour: Colour) =>
  `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
