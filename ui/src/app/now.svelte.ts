import { createSubscriber } from "svelte/reactivity";

const ticking = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

/** The time, kept fresh each second for as long as something on the screen shows it. */
export function now(): number {
  ticking();
  return Date.now();
}
