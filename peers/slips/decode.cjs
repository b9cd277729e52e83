// Reads slips by the parser of `npos` and the tables of `iconv-lite`, which know nothing of ours, and
// compares them with what was laid out: every NAME.escpos of a folder with its NAME.expected.json.
//
//   node decode.cjs FOLDER

"use strict";

const { readFileSync, readdirSync } = require("node:fs");
const { join } = require("node:path");

const iconv = require("iconv-lite");
// The package itself opens a USB port; its parser does not.
const Parser = require("npos/lib/parser");

/** What a printer makes of the bytes: lines of text, pictures by their size, and what it does. */
function read(bytes) {
  const { error, tree } = new Parser().analyze(bytes);
  if (error) throw error;
  const done = [];
  let text = [];
  const flush = () => {
    const lines = iconv.decode(Buffer.concat(text), "gb18030").split("\n");
    done.push(...lines.map((line) => line.trim()).filter((line) => line !== ""));
    text = [];
  };
  for (const node of tree) {
    const name = node.ascii + (node.fn ?? "");
    const own = bytes.subarray(node.offset, node.offset + node.length);
    if (node.ascii === "STX") text.push(own);
    else if (name === "GSv0") {
      flush();
      done.push(`[picture ${own.readUInt16LE(4) * 8}x${own.readUInt16LE(6)}]`);
    } else if (name === "GSV") {
      flush();
      done.push("[cut]");
    } else if (name === "ESCp") {
      flush();
      done.push("[drawer]");
    }
  }
  flush();
  return done;
}

function compare(folder, name) {
  const printed = read(readFileSync(join(folder, `${name}.escpos`)));
  const expected = JSON.parse(readFileSync(join(folder, `${name}.expected.json`), "utf8"));
  const length = Math.max(printed.length, expected.length);
  for (let at = 0; at < length; at += 1) {
    if (printed[at] === expected[at]) continue;
    console.error(`${name}, line ${at + 1}: laid out ${expected[at]}, printed ${printed[at]}`);
    return false;
  }
  console.log(`ok ${name}: ${length} lines`);
  return true;
}

const folder = process.argv[2];
const slips = readdirSync(folder)
  .filter((name) => name.endsWith(".escpos"))
  .map((name) => name.slice(0, -".escpos".length));
const right = slips.filter((name) => compare(folder, name)).length;
process.exitCode = slips.length > 0 && right === slips.length ? 0 : 1;
