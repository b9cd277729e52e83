// What must never reach a shop: the demo counter, the test kit, anything fetched from elsewhere.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const dist = new URL("../dist/", import.meta.url).pathname;
const banned = ["demo-counter", "axe-core", "__testkit", "sourceMappingURL"];
const allowedAddresses = /^https?:\/\/(www\.w3\.org|svelte\.dev|ipc\.localhost|localhost)/;
const eagerLimitBytes = 172_000;

const faults = [];
let eager = 0;
const index = readFileSync(join(dist, "index.html"), "utf8");

for (const name of readdirSync(dist, { recursive: true })) {
  const path = join(dist, String(name));
  if (!statSync(path).isFile() || !/\.(js|css|html)$/.test(path)) continue;
  const text = readFileSync(path, "utf8");
  for (const word of banned) if (text.includes(word)) faults.push(`${name} contains ${word}`);
  for (const [address] of text.matchAll(/https?:\/\/[\w.-]+/g))
    if (!allowedAddresses.test(address)) faults.push(`${name} names ${address}`);
  if (index.includes(String(name)) || String(name) === "index.html") eager += text.length;
}
if (eager > eagerLimitBytes)
  faults.push(`first screen loads ${eager} B, limit ${eagerLimitBytes} B`);

if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log(`dist is clean; first screen loads ${eager} B of markup, script and style`);
