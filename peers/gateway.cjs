"use strict";

// What every Node peer needs: the accounts, the customer's phone, a place for notices.

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const [baseUrl, folder] = process.argv.slice(2);
let serial = 0;

const account = (name) => JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), "utf8"));

const number = (prefix) => `${prefix}${Date.now()}${process.hrtime.bigint() % 1000000n}${++serial}`;

async function phone(method, target, body) {
  const answer = await fetch(baseUrl + target, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${target}: ${answer.status}`);
  return answer.json();
}

async function pay(payload) {
  const { token } = await phone("POST", "/phone/open", { payload });
  await phone("POST", `/phone/pay/${token}`, { action: "pay" });
}

const showCode = (wallet, more = {}) => phone("POST", "/phone/codes", { wallet, ...more });

function ok(step, condition, seen) {
  if (!condition) {
    console.log(`FAILED ${step}:`, seen);
    process.exit(1);
  }
  console.log(`ok ${step}`);
}

/** A server that keeps what the gateway posts. */
function notices(answer) {
  const kept = [];
  const waiting = [];
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const notice = { headers: request.headers, body: Buffer.concat(parts).toString() };
      const waiter = waiting.shift();
      if (waiter) waiter(notice);
      else kept.push(notice);
      response.end(answer);
    });
  });
  return new Promise((ready) => {
    server.listen(0, "127.0.0.1", () => ready({
      url: `http://127.0.0.1:${server.address().port}/notices`,
      next: () => kept.length > 0
        ? Promise.resolve(kept.shift())
        : new Promise((done) => waiting.push(done)),
      close: () => server.close(),
    }));
  });
}

/** Runs a peer; anything that it did not expect is a failure. */
function run(peer) {
  peer().then(() => process.exit(0), (error) => {
    console.log("FAILED", error);
    process.exit(1);
  });
}

module.exports = { baseUrl, account, number, phone, pay, showCode, ok, notices, run };
