import type { CallError } from "../../bindings/CallError";

/** Which field of a manager's number and PIN a refusal is about; null where it is about the matter. */
export function refusedField(refusal: CallError | null): "number" | "pin" | null {
  switch (refusal?.code) {
    case "approval_needed":
      return "number";
    case "pin_wrong":
    case "pin_locked":
      return "pin";
    default:
      return null;
  }
}
