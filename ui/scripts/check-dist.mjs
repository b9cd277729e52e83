// What must never reach a shop: the demo counter, the test kit, anything fetched from elsewhere.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const dist = new URL("../dist/", import.meta.url).pathname;
const banned = ["demo-counter", "axe-core", "__testkit", "sourceMappingURL"];
const allowedAddresses = /^https?:\/\/(www\.w3\.org|svelte\.dev|ipc\.localhost|localhost)/;
/**
 * Markup, script and style that a page loads before it shows anything. Two fifths of the first page
 * are the sentences of one language; the bench says what they cost at the start.
 */
const eagerLimitBytes = { "index.html": 184_000, "customer.html": 76_000 };

const faults = [];
const pages = Object.keys(eagerLimitBytes).map((name) => ({
  name,
  markup: readFileSync(join(dist, name), "utf8"),
  eager: 0,
}));

for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, String(name));
  if (!statSync(path).isFile() || !/\.(js|css|html)$/.test(path)) continue;
  const text = readFileSync(path, "utf8");
  for (const word of banned) if (text.includes(word)) faults.push(`${name} contains ${word}`);
  for (const [address] of text.matchAll(/https?:\/\/[\w.-]+/g))
    if (!allowedAddresses.test(address)) faults.push(`${name} names ${address}`);
  for (const page of pages)
    if (page.markup.includes(String(name)) || String(name) === page.name) page.eager += text.length;
}
for (const { name, eager } of pages)
  if (eager > eagerLimitBytes[name])
    faults.push(`${name} loads ${eager} B at first, limit ${eagerLimitBytes[name]} B`);

if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
const loads = pages.map(({ name, eager }) => `${name} ${eager} B`).join(", ");
console.log(`dist is clean; loaded at first: ${loads} of markup, script and style`);
