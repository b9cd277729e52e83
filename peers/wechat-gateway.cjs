"use strict";

// npm wechatpay-axios-plugin as the gateway of our own client, with a public key: it checks every
// request, asks the simulated book under a signature of its own, checks the book's, and signs the answer
// with a key that the book never had.

const { spawn } = require("node:child_process");
const { X509Certificate, generateKeyPairSync, createPrivateKey, createPublicKey } = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { Formatter, Rsa, Aes } = require("wechatpay-axios-plugin");
const peer = require("./gateway.cjs");

const { ok } = peer;
const [, folder, , serverProgram, judgeProgram] = process.argv.slice(2);
const NAME = "wechat-key";
const settings = peer.account(NAME);
const certificate = new X509Certificate(settings.certificate);
const [book] = settings.public_keys;
const ID = "PUB_KEY_ID_0119000001092026112200000000000001";

const pair = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const own = pair();
const stranger = pair();
const publicPem = own.publicKey.export({ type: "spki", format: "pem" });
const merchantKey = createPrivateKey(settings.private_key);

const day = (days) => new Date(Date.now() + (8 + 24 * days) * 3_600_000).toISOString().slice(0, 10);

const judged = [];
let forging = false;
let ahead = 0;

function ask(host, method, target, headers, body) {
  const { hostname, port } = new URL(peer.baseUrl);
  return new Promise((done, failed) => {
    const request = http.request(
      { hostname, port, method, path: target, headers: { ...headers, host } },
      (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("end", () => done({ answer, body: Buffer.concat(parts) }));
      },
    );
    request.on("error", failed);
    request.end(body);
  });
}

function seal(body, key) {
  const stamp = String(Formatter.timestamp());
  const nonce = Formatter.nonce();
  return {
    "Wechatpay-Timestamp": stamp,
    "Wechatpay-Nonce": nonce,
    "Wechatpay-Signature": Rsa.sign(Formatter.response(stamp, nonce, body), key),
    "Wechatpay-Serial": ID,
  };
}

function isOurs(method, target, headers, body) {
  const fields = Object.fromEntries(
    [...headers.authorization.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1], match[2]]),
  );
  const message = Formatter.request(method, target, fields.timestamp, fields.nonce_str, body);
  return (
    Rsa.verify(message, fields.signature, certificate.publicKey) &&
    fields.serial_no === certificate.serialNumber &&
    headers["wechatpay-serial"] === ID
  );
}

async function answered(host, method, asked, headers, body) {
  const path = asked.split("?")[0].replace(/(ZF|TK)\w+/, "…");
  judged.push([`${method} ${path}`, isOurs(method, asked, headers, body)]);
  // Our client asks for no bill of a day that is not over; the book's today stands for it.
  const target = asked.replace(day(-1), day(0));
  const stamp = Formatter.timestamp() + ahead;
  const nonce = Formatter.nonce();
  const signature = Rsa.sign(Formatter.request(method, target, stamp, nonce, body), merchantKey);
  const asking = {
    accept: "application/json",
    "user-agent": "peer",
    "wechatpay-serial": book.id,
    authorization: Formatter.authorization(settings.mchid, nonce, signature, stamp, certificate.serialNumber),
  };
  if (body !== "") asking["content-type"] = "application/json";
  const told = await ask(host, method, target, asking, body);
  const seals = told.answer.headers;
  if (seals["wechatpay-signature"] === undefined) return told;
  const text = told.body.toString();
  const message = Formatter.response(seals["wechatpay-timestamp"], seals["wechatpay-nonce"], text);
  const genuine = Rsa.verify(message, seals["wechatpay-signature"], createPublicKey(book.key));
  judged.push([`the book's answer to ${method}`, genuine]);
  return { ...told, seals: seal(text, (forging ? stranger : own).privateKey) };
}

function front() {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", async () => {
      const { host } = request.headers;
      const body = Buffer.concat(parts).toString();
      const told = await answered(host, request.method, request.url, request.headers, body);
      const kind = told.answer.headers["content-type"];
      response.writeHead(told.answer.statusCode, {
        ...(kind === undefined ? {} : { "content-type": kind }),
        ...(told.seals ?? {}),
      });
      response.end(told.body);
    });
  });
  return new Promise((ready) => {
    server.listen(0, "127.0.0.1", () => ready(`http://127.0.0.1:${server.address().port}`));
  });
}

function said(program, words, input) {
  return new Promise((done, failed) => {
    const child = spawn(program, words);
    let text = "";
    child.stdout.on("data", (part) => (text += part));
    child.on("error", failed);
    child.on("close", () => {
      try {
        done(JSON.parse(text));
      } catch {
        done({ result: "none", said: text });
      }
    });
    child.stdin.on("error", () => {}); // A command that reads nothing may have ended.
    child.stdin.end(input);
  });
}

const account = path.join(folder, `${NAME}-peer.json`);
const call = (words, input = "") => said(serverProgram, ["pay", "wechat", ...words, "--config", account], input);

async function shows(step, result, words, more = {}, input = "") {
  const answer = await call(words, input);
  const fits = Object.entries({ result, ...more }).every(([name, value]) => answer[name] === value);
  ok(`${NAME}: ${step}`, fits, answer);
  return answer;
}

/** A notice of the book's, opened by the kit and closed up anew. */
function closedUp(raw) {
  const event = JSON.parse(raw);
  const { ciphertext, nonce, associated_data, original_type } = event.resource;
  const plain = Aes.AesGcm.decrypt(ciphertext, settings.api_v3_key, nonce, associated_data);
  const fresh = Formatter.nonce(12);
  event.resource = {
    original_type,
    algorithm: "AEAD_AES_256_GCM",
    nonce: fresh,
    associated_data: original_type,
    ciphertext: Aes.AesGcm.encrypt(plain, settings.api_v3_key, fresh, original_type),
  };
  return JSON.stringify(event);
}

async function notices(shop, expected, step) {
  const body = closedUp((await shop.next()).body);
  const judge = (headers, text) => said(judgeProgram, [], JSON.stringify({
    channel: "wechat", settings: account, headers, body: Buffer.from(text).toString("base64"),
  }));
  const told = await judge(seal(body, own.privateKey), body);
  const fits = Object.entries(expected).every(([name, value]) => told[name] === value);
  ok(`${NAME}: ${step} is believed`, fits, told);
  const forged = await judge(seal(body, stranger.privateKey), body);
  ok(`${NAME}: ${step} of another key is refused`, forged.notice === "refused", forged);
  const changed = await judge(seal(body, own.privateKey), `${body} `);
  ok(`${NAME}: ${step} that was changed is refused`, changed.notice === "refused", changed);
}

async function stories(shop) {
  const make = ["create", "--notify-url", shop.url, "--amount"];
  const { number, qr } = await shows("order", "created", [...make, "300.00"]);
  await shows("nobody has scanned", "pending", ["query", number], { state: "not_scanned" });
  await peer.pay(qr);
  await shows("query", "success", ["query", number], { amount_fen: 30000 });
  await notices(shop, { notice: "payment", number, amount_fen: 30000 }, "a notice");
  const open = await call([...make, "1.00"]);
  await shows("close", "closed", ["close", open.number]);
  const charge = ["charge", "--amount", "300.00"];
  const shown = await peer.showCode("WECHAT");
  await shows("payment code", "success", charge, { amount_fen: 30000 }, shown.digits);
  const slow = await peer.showCode("WECHAT", { asks_password: true });
  const waiting = await shows(
    "payment code with 202", "pending", charge, { state: "user_paying" }, slow.digits,
  );
  await peer.phone("POST", `/phone/pay/${slow.token}`, { action: "pay" });
  await shows("paid after the password", "success", ["query", waiting.number]);
  // No reversal in the first fifteen seconds.
  await new Promise((done) => setTimeout(done, 16_000));
  await shows("reverse", "reversed", ["reverse", waiting.number]);
  const poor = await peer.showCode("WECHAT", { declines: "balance_short" });
  await shows("declined", "declined", charge, { code: "BalanceShort" }, poor.digits);
  const refund = await shows(
    "refund", "accepted", ["refund", number, "--paid", "300.00", "--amount", "100.00"],
  );
  const asked = ["refund-query", number, "--refund-number", refund.refund_number];
  // The book needs a moment until the money is there.
  for (let left = 40; left > 0 && (await call(asked)).result === "accepted"; left--)
    await new Promise((done) => setTimeout(done, 500));
  await shows("refund query", "succeeded", asked, { amount_fen: 10000 });
  forging = true;
  const wrong = await shows("an answer of another key", "unknown", ["query", number]);
  ok(`${NAME}: and says so`, wrong.cause.includes("signature"), wrong);
  forging = false;
  return number;
}

async function bill(number) {
  const wish = { ahead_ms: 36 * 3_600_000 };
  ahead = (await peer.phone("PUT", "/phone/clock", wish)).ahead_ms / 1000;
  const { lines } = await shows("bill", "ready", ["bill", day(-1)]);
  const kinds = lines.filter(({ attempt_no }) => attempt_no === number);
  const told = kinds.map(({ kind, amount_fen }) => `${kind} ${amount_fen}`).sort().join();
  ok(`${NAME}: the bill has payment and refund`, told === "payment 30000,refund 10000", lines);
}

peer.run(async () => {
  const base_url = await front();
  fs.writeFileSync(account, JSON.stringify({ ...settings, base_url, public_keys: [{ id: ID, key: publicPem }] }));
  const shop = await peer.notices("");
  await bill(await stories(shop));
  const wrong = judged.filter(([, genuine]) => !genuine);
  ok(`${NAME}: ${judged.length} signatures hold`, wrong.length === 0, wrong);
  const calls = new Set(judged.map(([what]) => what).filter((what) => !what.startsWith("the book")));
  for (const what of [...calls].sort()) ok(`${NAME}: our ${what} is verified`, true);
});
