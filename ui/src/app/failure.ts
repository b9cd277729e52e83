import type { CallError } from "../bindings/CallError";

/** What stood in the way of `work`; null once it is done. */
export async function refusalOf(work: () => Promise<void>): Promise<CallError | null> {
  try {
    await work();
    return null;
  } catch (reason) {
    return asCallError(reason);
  }
}

/** What a rejected call says. Anything but a `CallError` is a fault of the application. */
export function asCallError(reason: unknown): CallError {
  if (typeof reason === "object" && reason !== null && "code" in reason && "money" in reason)
    return reason as CallError;
  const detail = reason instanceof Error ? reason.message : String(reason);
  return {
    code: "internal",
    message_key: "error.internal",
    params: { detail },
    retryable: false,
    money: "unknown",
  };
}
