"use strict";

// npm @walletfactory/emvqr and ber-tlv read the EMVCo codes that we make.

const fs = require("node:fs");
const emvqr = require("@walletfactory/emvqr");
const { TlvFactory } = require("ber-tlv");
const { ok } = require("./gateway.cjs");

const lines = fs.readFileSync(process.argv[4], "utf8").trim().split("\n").map((line) => JSON.parse(line));
const codes = lines.find((line) => line.account === "emv");

const merchant = emvqr.decode(codes.merchant);
const field = (tag) => merchant[tag];
ok("merchant code: currency and country", field("53") === "156" && field("58") === "CN", merchant);
ok("merchant code: amount", field("54") === "300.50", merchant);
ok("merchant code: name and city", field("59") === "YUEDONG GYM" && field("60") === "BEIJING", merchant);
ok("merchant code: account", field("15") === "0102034401020345777290058110048", merchant);

const [format, application] = TlvFactory.parse(Buffer.from(codes.consumer, "base64"));
ok("consumer code: format", format.tag === "85" && format.value.toString() === "CPV01", format);
ok("consumer code: application", application.items[0].value.toString("hex") === "a000000333010102", application);
