"use strict";

// npm wechatpay-axios-plugin as a merchant of the simulated WeChat Pay with a public key, and its
// primitives as the judge of our own client's requests.

const fs = require("node:fs");
const { X509Certificate } = require("node:crypto");
const { Wechatpay, Formatter, Rsa, Aes } = require("wechatpay-axios-plugin");
const peer = require("./gateway.cjs");

const { ok, number } = peer;
const settings = peer.account("wechat-key");
const serial = new X509Certificate(settings.certificate).serialNumber;
const [{ id, key }] = settings.public_keys;

const kit = (privateKey) => new Wechatpay({
  mchid: settings.mchid,
  serial,
  privateKey,
  certs: { [id]: key },
  secret: settings.v2_key,
  baseURL: `${peer.baseUrl}/`,
  headers: { "Wechatpay-Serial": id },
});

async function refused(call) {
  try {
    const answer = await call();
    return { status: answer.status, data: answer.data };
  } catch (error) {
    return { status: error.response?.status, data: error.response?.data ?? error };
  }
}

const order = (wx, out_trade_no, notify_url) => wx.v3.pay.transactions.native.post({
  appid: settings.appid,
  mchid: settings.mchid,
  description: "储值 300",
  out_trade_no,
  notify_url,
  amount: { total: 30000, currency: "CNY" },
});

function readNotice({ headers, body }) {
  const message = Formatter.response(headers["wechatpay-timestamp"], headers["wechatpay-nonce"], body);
  ok("notice: serial", headers["wechatpay-serial"] === id, headers);
  ok("notice: signature", Rsa.verify(message, headers["wechatpay-signature"], Rsa.from(key, Rsa.KEY_TYPE_PUBLIC)));
  const { ciphertext, nonce, associated_data } = JSON.parse(body).resource;
  return JSON.parse(Aes.AesGcm.decrypt(ciphertext, settings.api_v3_key, nonce, associated_data));
}

async function v3(wx) {
  const shop = await peer.notices("");
  const query = (no) => wx.v3.pay.transactions.outTradeNo["{no}"].get({
    params: { mchid: settings.mchid }, no,
  });
  const first = number("ZF");
  const made = await order(wx, first, shop.url);
  ok("order", made.data.code_url.startsWith("weixin://"), made.data);
  ok("query before payment", (await query(first)).data.trade_state === "NOTPAY");
  await peer.pay(made.data.code_url);
  ok("query after payment", (await query(first)).data.trade_state === "SUCCESS");
  const told = readNotice(await shop.next());
  ok("notice", told.out_trade_no === first && told.amount.total === 30000, told);

  const second = number("ZF");
  await order(wx, second, shop.url);
  const closed = await wx.v3.pay.transactions.outTradeNo["{no}"].close.post(
    { mchid: settings.mchid }, { no: second },
  );
  ok("close", closed.status === 204, closed.status);

  const out_refund_no = number("TK");
  const refund = await wx.v3.refund.domestic.refunds.post({
    out_trade_no: first,
    out_refund_no,
    amount: { refund: 10000, total: 30000, currency: "CNY" },
  });
  ok("refund", refund.data.status === "PROCESSING", refund.data);
  const asked = await wx.v3.refund.domestic.refunds["{no}"].get({ no: out_refund_no });
  ok("refund query", asked.data.out_refund_no === out_refund_no, asked.data);

  const shown = await peer.showCode("WECHAT", { asks_password: true });
  const charged = await refused(() => wx.v3.pay.transactions.codepay.post({
    appid: settings.appid,
    mchid: settings.mchid,
    description: "储值",
    out_trade_no: number("ZF"),
    payer: { auth_code: shown.digits },
    amount: { total: 30000 },
    scene_info: { store_info: { out_id: "S01" } },
  }));
  ok("payment code with password is 202", charged.status === 202, charged);
  const none = await refused(() => wx.v3.bill.tradebill.get({
    params: { bill_date: "2001-01-01", bill_type: "ALL" },
  }));
  ok("a bill of long ago", none.status === 400, none);
  shop.close();
  return first;
}

async function v2(wx, out_trade_no) {
  const answer = await wx.v2.pay.orderquery.post({
    appid: settings.appid,
    mch_id: settings.mchid,
    nonce_str: Formatter.nonce(),
    out_trade_no,
  });
  ok("v2 query by MD5", answer.data.trade_state === "REFUND", answer.data);
  const hmac = await wx.v2.pay.orderquery.post({
    appid: settings.appid,
    mch_id: settings.mchid,
    nonce_str: Formatter.nonce(),
    out_trade_no,
    sign_type: "HMAC-SHA256",
  });
  ok("v2 query by HMAC-SHA256", hmac.data.trade_state === "REFUND", hmac.data);
  const refunds = await wx.v2.pay.refundquery.post({
    appid: settings.appid,
    mch_id: settings.mchid,
    nonce_str: Formatter.nonce(),
    out_trade_no,
  });
  const { refund_count, refund_fee_0 } = refunds.data;
  ok("v2 refund query", refund_count === "1" && refund_fee_0 === "10000", refunds.data);
}

function ourRequests() {
  const lines = fs.readFileSync(process.argv[4], "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const ours = lines.filter((line) => line.account === "wechat-key");
  const certificate = new X509Certificate(settings.certificate);
  for (const line of ours) {
    const fields = Object.fromEntries([...line.authorization.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1], m[2]]));
    const body = Buffer.from(line.body, "base64").toString();
    const message = Formatter.request(line.method, line.target, fields.timestamp, fields.nonce_str, body);
    const genuine = Rsa.verify(message, fields.signature, certificate.publicKey);
    ok(`our ${line.method} ${line.target.split("?")[0]}`, genuine, line);
  }
  ok("our requests were seen", ours.length >= 7, ours.length);
}

peer.run(async () => {
  const wx = kit(settings.private_key);
  const paid = await v3(wx);
  await v2(wx, paid);
  const stranger = kit(peer.account("alipay-keys").private_key);
  const wrong = await refused(() => order(stranger, number("ZF"), "http://shop.example/"));
  ok("a wrong key is refused", wrong.status === 401, wrong);
  ourRequests();
});
