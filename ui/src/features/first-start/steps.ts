import type { SetUpStep } from "../../bindings/SetUpStep";

/** What is counted on the way: the welcome is no step of it. */
export const STEPS: readonly SetUpStep[] = [
  "shop",
  "code",
  "people",
  "receipt",
  "printer",
  "methods",
];

/** The screen before; the code is on paper once it was left. */
export function before(step: SetUpStep): SetUpStep {
  if (step === "people" || step === "shop") return step === "shop" ? "welcome" : "shop";
  return STEPS[STEPS.indexOf(step) - 1] ?? "welcome";
}
