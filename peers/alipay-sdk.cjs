"use strict";

// npm alipay-sdk as a merchant of the simulated Alipay, in both key modes.

const { AlipaySdk } = require("alipay-sdk");
const peer = require("./gateway.cjs");

const { ok, number } = peer;

function merchant(settings) {
  const keys = settings.alipay_public_keys
    ? { alipayPublicKey: settings.alipay_public_keys[0] }
    : {
        appCertContent: settings.app_certificate,
        alipayPublicCertContent: settings.alipay_certificates[0],
        alipayRootCertContent: settings.alipay_root_certificates,
      };
  return new AlipaySdk({
    appId: settings.app_id,
    privateKey: settings.private_key,
    keyType: "PKCS8",
    gateway: `${peer.baseUrl}/gateway.do`,
    ...keys,
  });
}

async function stories(name) {
  const settings = peer.account(name);
  const sdk = merchant(settings);
  const shop = await peer.notices("success");
  const call = (method, bizContent, more = {}) =>
    sdk.exec(`alipay.${method}`, { bizContent, ...more }, { validateSign: true });
  const make = (no, amount) => call(
    "trade.precreate",
    { outTradeNo: no, totalAmount: amount, subject: "储值 300 100%" },
    { notifyUrl: shop.url },
  );
  const first = number("ZF");
  const made = await make(first, "300.00");
  ok(`${name}: precreate`, made.code === "10000", made);
  const unscanned = await call("trade.query", { outTradeNo: first });
  ok(`${name}: unscanned`, unscanned.subCode === "ACQ.TRADE_NOT_EXIST", unscanned);
  await peer.pay(made.qrCode);
  const paid = await call("trade.query", { outTradeNo: first });
  ok(`${name}: paid`, paid.tradeStatus === "TRADE_SUCCESS", paid);
  const notice = await shop.next();
  const fields = Object.fromEntries(new URLSearchParams(notice.body));
  ok(`${name}: notice`, sdk.checkNotifySignV2(fields) && fields.out_trade_no === first, fields);
  const other = await make(first, "301.00");
  ok(`${name}: paid already or other content`, other.code === "40004", other);

  const refund = await call("trade.refund", {
    outTradeNo: first, refundAmount: "100.00", outRequestNo: number("TK"),
  });
  ok(`${name}: refund`, refund.fundChange === "Y", refund);
  const shown = await peer.showCode("ALIPAY");
  const charged = await call("trade.pay", {
    outTradeNo: number("ZF"), scene: "bar_code", authCode: shown.digits,
    subject: "储值", totalAmount: "300.00",
  });
  ok(`${name}: payment code`, charged.code === "10000", charged);
  const second = number("ZF");
  const open = await make(second, "1.00");
  await peer.phone("POST", "/phone/open", { payload: open.qrCode });
  const cancelled = await call("trade.cancel", { outTradeNo: second });
  ok(`${name}: cancel`, cancelled.action === "close", cancelled);
  const none = await call("data.dataservice.bill.downloadurl.query", {
    billType: "trade", billDate: "2026-01-01",
  });
  ok(`${name}: no bill of a quiet day`, none.subCode === "isp.bill_not_exist", none);
  shop.close();

  const stranger = merchant({ ...settings, private_key: peer.account("wechat-key").private_key });
  const wrong = await stranger
    .exec("alipay.trade.query", { bizContent: { outTradeNo: first } })
    .catch((error) => error);
  ok(`${name}: a wrong key is refused`, JSON.stringify(wrong).includes("isv.invalid-signature") || String(wrong).includes("isv.invalid-signature"), wrong);
}

peer.run(async () => {
  for (const name of ["alipay-keys", "alipay-certificates"]) await stories(name);
});
