import type { Desk } from "./desk.svelte";

/** Keeps the customer's display at the order that is on this screen. */
export function followOnDisplay(desk: () => Desk): void {
  const shown = $derived(desk().orders.current?.id ?? desk().topUp.shopCode?.id ?? null);
  let told: string | null | undefined;
  $effect(() => {
    if (shown === told) return;
    told = shown;
    void desk().attempt(() => desk().host.showCustomer(shown));
  });
}
