// Reads slips by the parser of `npos`, the tables of `iconv-lite` and the codes of `zbar`, which know
// nothing of ours, and compares them with what was laid out: every NAME.escpos of a folder with its
// NAME.expected.json.
//
//   node decode.cjs FOLDER

"use strict";

const { spawnSync } = require("node:child_process");
const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const iconv = require("iconv-lite");
// The package itself opens a USB port; its parser does not.
const Parser = require("npos/lib/parser");

const DOTS_PER_COLUMN = 12;
/** What is higher is a code; a row of text is not. */
const ROW_DOTS_MAX = 60;

/** A printer that writes down what it does with each command. */
class Printer {
  constructor({ columns, encoding }, picture) {
    this.columns = columns;
    this.encoding = encoding;
    this.picture = picture;
    this.done = [];
    this.line = [];
    this.reset();
  }

  reset() {
    Object.assign(this, { chinese: false, align: 0, bold: false, scale: 1 });
  }

  /** Left edge of what is so many dots or columns wide. */
  start(width, whole) {
    return Math.floor(((whole - width) * this.align) / 2);
  }

  obey(name, own) {
    const value = own[2];
    switch (name) {
      case "ESC@":
        return this.reset();
      case "FS&":
        return (this.chinese = true);
      case "ESCa":
        if (this.line.length > 0) throw new Error("aligned in the middle of a line");
        return (this.align = value);
      case "ESCE":
        return (this.bold = value === 1);
      case "GS!":
        if (value >> 4 !== (value & 15)) throw new Error(`size ${value} is not square`);
        return (this.scale = (value & 15) + 1);
      case "ESCd":
        return this.note(`[feed ${value}]`);
      case "GSV":
        if (value !== 65 && value !== 66) throw new Error(`cut ${value}`);
        return this.note(value === 66 ? "[cut, a bridge left]" : "[cut through]");
      case "ESCp":
        return this.note(`[drawer ${value} for ${own[3] * 2} ms]`);
      case "GSv0":
        return this.draw(own);
      default:
        throw new Error(`no command of a slip: ${name}`);
    }
  }

  note(what) {
    if (this.line.length > 0) throw new Error(`${what} in the middle of a line`);
    this.done.push(what);
  }

  draw(own) {
    const [bytes, height] = [own.readUInt16LE(4), own.readUInt16LE(6)];
    const dots = own.subarray(8, 8 + bytes * height);
    if (dots.length < bytes * height) throw new Error("a picture is cut short");
    const left = this.start(bytes * 8, this.columns * DOTS_PER_COLUMN);
    const at = `picture ${bytes * 8}x${height} at ${left}`;
    const blank = dots.every((byte) => byte === 0);
    this.note(`[${blank ? "blank " : ""}${at}]`);
    if (height > ROW_DOTS_MAX) this.picture(this.done.length - 1, bytes * 8, height, dots);
  }

  write(own) {
    const { bold, scale } = this;
    const text = iconv.decode(own, this.chinese ? this.encoding : "latin1");
    for (const char of text) {
      if (char === "\n") this.feed();
      else this.line.push({ char, bold, scale });
    }
  }

  width(char, scale) {
    return (iconv.encode(char, this.encoding).length === 1 ? 1 : 2) * scale;
  }

  /** Ends a line and notes its words with the columns they start at. */
  feed() {
    const width = this.line.reduce((sum, one) => sum + this.width(one.char, one.scale), 0);
    if (width > this.columns) throw new Error("a line is wider than the paper");
    let column = this.start(width, this.columns);
    const words = [];
    let word;
    for (const { char, bold, scale } of this.line) {
      const style = `${bold ? "b" : ""}${scale === 1 ? "" : scale === 2 ? "d" : `x${scale}`}`;
      if (char === " ") word = undefined;
      else if (word?.style === style) word.text += char;
      else words.push((word = { column, style, text: char }));
      column += this.width(char, scale);
    }
    this.done.push(words.map((word) => `${word.column}${word.style}:${word.text}`).join(" "));
    this.line = [];
  }
}

/** What a printer makes of the bytes, line by line. */
function read(bytes, expected, picture) {
  const { error, tree } = new Parser().analyze(bytes);
  if (error) throw error;
  const printer = new Printer(expected, picture);
  for (const node of tree) {
    const own = bytes.subarray(node.offset, node.offset + node.length);
    if (node.ascii === "STX") printer.write(own);
    else printer.obey(node.ascii + (node.fn ?? ""), own);
  }
  printer.note("[end]");
  printer.done.pop();
  return printer.done;
}

/** What zbar reads in each picture, by the name of its file. */
function readCodes(files) {
  if (files.length === 0) return new Map();
  const { stdout, error } = spawnSync("zbarimg", ["--quiet", "--xml", ...files], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (error) throw new Error(`zbarimg: ${error.message}; install zbar-tools`);
  const codes = new Map();
  for (const [, file, inside] of stdout.matchAll(/<source href='([^']*)'>(.*?)<\/source>/gs)) {
    const said = [...inside.matchAll(/<!\[CDATA\[(.*?)\]\]>/gs)].map(([, data]) => data);
    codes.set(file, said.join(" and "));
  }
  return codes;
}

function printed(folder, name) {
  const expected = JSON.parse(readFileSync(join(folder, `${name}.expected.json`), "utf8"));
  const codes = [];
  const keep = (line, width, height, dots) => {
    const file = join(folder, `${name}-${line}.pbm`);
    writeFileSync(file, Buffer.concat([Buffer.from(`P4\n${width} ${height}\n`), dots]));
    codes.push({ line, file });
  };
  try {
    const lines = read(readFileSync(join(folder, `${name}.escpos`)), expected, keep);
    return { name, expected: expected.lines, lines, codes };
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}

function compare({ name, expected, lines, codes }, said) {
  for (const { line, file } of codes) {
    lines[line] = lines[line].replace(/\]$/, `: ${said.get(file) ?? "no code"}]`);
  }
  const length = Math.max(lines.length, expected.length);
  for (let at = 0; at < length; at += 1) {
    if (lines[at] === expected[at]) continue;
    console.error(`${name}, line ${at + 1}: laid out ${expected[at]}, printed ${lines[at]}`);
    return false;
  }
  console.log(`ok ${name}: ${length} lines`);
  return true;
}

const folder = process.argv[2];
const slips = readdirSync(folder)
  .filter((name) => name.endsWith(".escpos"))
  .map((name) => printed(folder, name.slice(0, -".escpos".length)));
const said = readCodes(slips.flatMap(({ codes }) => codes.map(({ file }) => file)));
const right = slips.filter((slip) => compare(slip, said)).length;
process.exitCode = slips.length > 0 && right === slips.length ? 0 : 1;
