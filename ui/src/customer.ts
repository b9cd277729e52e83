import "./design/tokens.css";
import "./design/base.css";

import { mount } from "svelte";

import Customer from "./features/customer/Customer.svelte";
import { tauriFeed, type CustomerFeed } from "./platform/customer";

async function findFeed(): Promise<CustomerFeed> {
  if (import.meta.env.MODE === "production") return tauriFeed;
  const { demoFeed } = await import("./platform/demo/customer");
  return demoFeed;
}

const target = document.getElementById("app");
if (target === null) throw new Error("customer.html lost its #app");
mount(Customer, { target, props: { feed: await findFeed() } });
// Slices of the bundled font are only fetched for characters that no system font has.
setTimeout(() => void import("@fontsource-variable/noto-sans-sc/wght.css"), 500);
