"""PyPI wechatpayv3 as a merchant of the simulated WeChat Pay, in both key modes."""

import gzip
import hashlib
import json
import time

from cryptography import x509
from gateway import BASE_URL, Notices, account, number, ok, pay, phone, show_code
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3 import utils

NOTICES = Notices(b"")
REAL_TIME = time.time


def merchant(settings):
    serial = x509.load_pem_x509_certificate(settings["certificate"].encode()).serial_number
    keys = settings["public_keys"]
    more = {"public_key": keys[0]["key"], "public_key_id": keys[0]["id"]} if keys else {}
    # The kit fetches certificates while it is made, so the address has to be right before.
    from wechatpayv3 import core

    class Core(core.Core):
        def __setattr__(self, name, value):
            super().__setattr__(name, BASE_URL if name == "_gate_way" else value)

    original, core.Core = core.Core, Core
    try:
        return WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=settings["mchid"],
            private_key=settings["private_key"],
            cert_serial_no=f"{serial:X}",
            appid=settings["appid"],
            apiv3_key=settings["api_v3_key"],
            notify_url=NOTICES.url,
            **more,
        )
    finally:
        core.Core = original


def order(kit, out_trade_no, fen=30000):
    code, message = kit.pay(
        description="储值 300", out_trade_no=out_trade_no, amount={"total": fen, "currency": "CNY"}
    )
    return code, json.loads(message)


def qr(kit, name):
    first = number("ZF")
    code, body = order(kit, first)
    ok(f"{name}: order", code == 200 and body["code_url"].startswith("weixin://"), body)
    state = json.loads(kit.query(out_trade_no=first)[1])["trade_state"]
    ok(f"{name}: query before payment", state == "NOTPAY", state)
    pay(body["code_url"])
    code, message = kit.query(out_trade_no=first)
    paid = json.loads(message)
    ok(f"{name}: query after payment", paid["trade_state"] == "SUCCESS", message)
    headers, raw = NOTICES.next()
    notice = kit.callback(headers, raw)
    ok(f"{name}: notice", notice and notice["resource"]["out_trade_no"] == first, raw)
    code, _ = kit.close(first)
    ok(f"{name}: a paid order is not closed", code == 400, code)
    second = number("ZF")
    order(kit, second)
    code, message = kit.close(second)
    ok(f"{name}: close", code == 204, message)
    return first


def refund(kit, name, out_trade_no):
    refund_no = number("TK")
    amount = {"refund": 10000, "total": 30000, "currency": "CNY"}
    code, message = kit.refund(out_refund_no=refund_no, out_trade_no=out_trade_no, amount=amount)
    ok(f"{name}: refund", code == 200 and json.loads(message)["status"] == "PROCESSING", message)
    headers, raw = NOTICES.next()
    notice = kit.callback(headers, raw)
    ok(f"{name}: notice of the refund", notice["event_type"] == "REFUND.SUCCESS", notice)
    code, message = kit.query_refund(refund_no)
    ok(f"{name}: refund query", json.loads(message)["status"] == "SUCCESS", message)
    too_much = {"refund": 20001, "total": 30000, "currency": "CNY"}
    code, message = kit.refund(out_refund_no=number("TK"), out_trade_no=out_trade_no, amount=too_much)
    ok(f"{name}: a refund larger than paid", code in (400, 429), message)


def charge(kit, out_trade_no, auth_code):
    code, message = kit.pay(
        description="储值",
        out_trade_no=out_trade_no,
        amount={"total": 30000, "currency": "CNY"},
        payer={"auth_code": auth_code},
        scene_info={"store_info": {"out_id": "S01"}},
        pay_type=WeChatPayType.CODEPAY,
    )
    return code, json.loads(message)


def codes(kit, name):
    shown = show_code("WECHAT")
    code, body = charge(kit, number("ZF"), shown["digits"])
    ok(f"{name}: payment code", code == 200 and body["trade_state"] == "SUCCESS", body)
    shown, waiting = show_code("WECHAT", asks_password=True), number("ZF")
    code, body = charge(kit, waiting, shown["digits"])
    ok(f"{name}: payment code with password is 202", code == 202, (code, body))
    phone("POST", f"/phone/pay/{shown['token']}", {"action": "pay"})
    state = json.loads(kit.query(out_trade_no=waiting)[1])["trade_state"]
    ok(f"{name}: paid after the password", state == "SUCCESS", state)
    shown = show_code("WECHAT", declines="balance_short")
    code, body = charge(kit, number("ZF"), shown["digits"])
    ok(f"{name}: declined", code == 403 and body["code"] == "NOT_ENOUGH", body)


def bill(kit, name):
    date = time.strftime("%Y-%m-%d")
    ahead = phone("PUT", "/phone/clock", {"ahead_ms": 36 * 3_600_000})["ahead_ms"] // 1000
    time.time = lambda: REAL_TIME() + ahead
    try:
        code, message = kit.trade_bill(bill_date=date)
        ok(f"{name}: bill", code == 200, message)
        place = json.loads(message)
        code, packed = kit.download_bill(place["download_url"])
        file = gzip.decompress(packed)
        told = hashlib.sha1(file).hexdigest() == place["hash_value"]
        ok(f"{name}: bill downloaded", code == 200 and told, code)
        ok(f"{name}: bill has its sums", "总交易单数" in file.decode("utf-8-sig"), file[:80])
    finally:
        time.time = REAL_TIME


for account_name in ("wechat-key", "wechat-certificates"):
    settings = account(account_name)
    kit = merchant(settings)
    refund(kit, account_name, qr(kit, account_name))
    codes(kit, account_name)
    stranger = dict(settings, private_key=account("alipay-keys")["private_key"])
    try:
        code = order(merchant(stranger), number("ZF"))[0]
    except Exception as error:  # In certificate mode the kit fails while it is made.
        code = 401 if "certificate" in str(error) else error
    ok(f"{account_name}: a wrong key is refused", code == 401, code)
    real_authorization = utils.time.time
    utils.time.time = lambda: REAL_TIME() - 360
    code, body = order(kit, number("ZF"))
    utils.time.time = real_authorization
    ok(f"{account_name}: a clock six minutes off", code == 401 and "timestamp" in body["message"], body)
bill(kit, account_name)
