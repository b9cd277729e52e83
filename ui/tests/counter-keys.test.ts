import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

// What the counter can say is read from its source: a sentence that nobody wrote would otherwise
// be seen for the first time by a cashier.

const here = join(import.meta.dirname, "..");
const read = (name: string) => JSON.parse(readFileSync(join(here, "messages", name), "utf8"));
const LISTED: string[] = read("counter-keys.json");
const FAMILIES = [...new Set(Object.keys(read("zh-CN.json")).map((key) => key.split(".")[0]))];

/** Rust without comments and without its unit tests. */
const code = (source: string) =>
  source.replace(/^#\[cfg\(test\)\]\nmod tests \{[\s\S]*/m, "").replaceAll(/^\s*\/\/.*$/gm, "");

const folder = join(here, "../crates/counter/src");
const FILES = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".rs"))
  .map((name) => ({ name, source: code(readFileSync(join(folder, name), "utf8")) }));

const all = (source: string, pattern: RegExp) => [...source.matchAll(pattern)];
/** The second argument of `CallError::new`. */
const MADE = /CallError::new\(\s*[\w:]+,\s*(?:"(\w+)"|([\w:]+))/g;

/** Closures and functions that make an error of the key that they are given. */
function makers(source: string): string[] {
  const closures = all(source, /let (\w+) = \|(\w+)\| (?:Err\()?CallError::new\([\w:]+, \2\)/g);
  const functions = all(source, /fn (\w+)\([^)]*\b(\w+): &str\) -> CallError \{([^}]*)/g);
  const made = functions.filter(([, , key, body]) =>
    new RegExp(`CallError::new\\([\\w:]+, ${key}\\)`).test(body!),
  );
  return [...closures, ...made].map(([, name]) => name!);
}

/** Keys that one file names, with their family. */
function keysOf(source: string): string[] {
  const whole = all(source, new RegExp(`"((?:${FAMILIES.join("|")})\\.\\w+)"`, "g")).map(
    ([, key]) => key!,
  );
  const errors = all(source, MADE).flatMap(([, key]) => key ?? []);
  for (const maker of makers(source))
    for (const [, key] of all(source, new RegExp(`\\b${maker}\\((?:[^()"]*, )?"(\\w+)"`, "g")))
      errors.push(key!);
  // Where a key is chosen first and made an error of later, each arm is one.
  const chosen = all(source, MADE).some(([, , name]) => name === "key" || name === "amount_error");
  if (chosen || source.includes('format!("error.{key}")'))
    for (const [, key] of all(source, /=> "(\w+)"/g)) errors.push(key!);
  return [...whole, ...errors.map((key) => `error.${key}`)];
}

const NAMED = FILES.flatMap(({ name, source }) => keysOf(source).map((key) => ({ key, name })));

test("every key that the counter's code names is in the list", () => {
  expect(new Set(NAMED.map(({ key }) => key)).size).toBeGreaterThan(90);
  expect(NAMED.filter(({ key }) => !LISTED.includes(key))).toEqual([]);
});

test("keys are named in no way that is not read here", () => {
  // Words of `words.rs` are held by their own test.
  const known = ["key", "message", "amount_error", "words::refusal"];
  const ways = FILES.flatMap(({ source }) => all(source, MADE).flatMap(([, , name]) => name ?? []));
  expect([...new Set(ways)].filter((name) => !known.includes(name))).toEqual([]);
  const made = FILES.map(({ source }) => all(source, /CallError::new\(/g).length);
  const seen = FILES.map(({ source }) => all(source, MADE).length);
  expect(made).toEqual(seen);
});

test("no key is listed twice", () => {
  expect(LISTED.filter((key, place) => LISTED.indexOf(key) !== place)).toEqual([]);
});
