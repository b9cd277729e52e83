"""PyPI python-alipay-sdk as a merchant of the simulated Alipay, in both key modes."""

import json
import urllib.parse

import alipay
from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException
from gateway import BASE_URL, Notices, account, number, ok, pay, phone, show_code

NOTICES = Notices(b"success")


def merchant(settings):
    common = {
        "appid": settings["app_id"],
        "app_notify_url": NOTICES.url,
        "app_private_key_string": settings["private_key"],
    }
    if "alipay_public_keys" in settings:
        kit = AliPay(alipay_public_key_string=settings["alipay_public_keys"][0], **common)
    else:
        kit = DCAliPay(
            app_public_key_cert_string=settings["app_certificate"],
            alipay_public_key_cert_string=settings["alipay_certificates"][0],
            alipay_root_cert_string=settings["alipay_root_certificates"],
            **common,
        )
    kit._gateway = f"{BASE_URL}/gateway.do"
    return kit


def qr(kit, name):
    first = number("ZF")
    made = kit.api_alipay_trade_precreate("储值 300", first, "300.00")
    ok(f"{name}: precreate", made["code"] == "10000", made)
    unscanned = kit.api_alipay_trade_query(out_trade_no=first)
    ok(f"{name}: unscanned", unscanned["sub_code"] == "ACQ.TRADE_NOT_EXIST", unscanned)
    pay(made["qr_code"])
    paid = kit.api_alipay_trade_query(out_trade_no=first)
    ok(f"{name}: paid", paid["trade_status"] == "TRADE_SUCCESS", paid)
    _, raw = NOTICES.next(first)
    fields = dict(urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True))
    sign = fields.pop("sign")
    ok(f"{name}: notice", kit.verify(fields, sign) and fields["out_trade_no"] == first, fields)
    second = number("ZF")
    code = kit.api_alipay_trade_precreate("储值", second, "1.00")["qr_code"]
    phone("POST", "/phone/open", {"payload": code})
    closed = kit.api_alipay_trade_close(out_trade_no=second)
    ok(f"{name}: close", closed["code"] == "10000", closed)
    return first


def refund(kit, name, out_trade_no):
    refund_no = number("TK")
    make = lambda amount, no: kit.api_alipay_trade_refund(amount, out_trade_no, out_request_no=no)
    moved = make("100.00", refund_no)
    ok(f"{name}: refund", moved["fund_change"] == "Y" and moved["refund_fee"] == "100.00", moved)
    again = make("100.00", refund_no)
    ok(f"{name}: refund repeated moves nothing", again["fund_change"] == "N", again)
    too_much = make("200.01", number("TK"))
    ok(f"{name}: too large", too_much["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", too_much)
    early = kit.api_alipay_trade_fastpay_refund_query(refund_no, out_trade_no=out_trade_no)
    ok(f"{name}: refund not told at once", "refund_status" not in early, early)


def codes(kit, name):
    charge = lambda no, shown: kit.api_alipay_trade_pay(
        no, "bar_code", shown["digits"], "储值", total_amount="300.00"
    )
    paid = charge(number("ZF"), show_code("ALIPAY"))
    ok(f"{name}: payment code", paid["code"] == "10000", paid)
    shown, waiting = show_code("ALIPAY", asks_password=True), number("ZF")
    answer = charge(waiting, shown)
    ok(f"{name}: payment code with password is 10003", answer["code"] == "10003", answer)
    cancelled = kit.api_alipay_trade_cancel(out_trade_no=waiting)
    ok(f"{name}: cancel", cancelled["action"] == "close", cancelled)
    declined = charge(number("ZF"), show_code("ALIPAY", declines="balance_short"))
    ok(f"{name}: declined", declined["sub_code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH", declined)


def refused(kit, name, step, sub_code):
    try:
        seen = kit.api_alipay_trade_precreate("储值", number("ZF"), "300.00")
    except AliPayException as error:
        seen = json.dumps(error.args[0] if error.args else str(error)) + str(error)
    ok(f"{name}: {step}", sub_code in str(seen), seen)


def stories(account_name):
    settings = account(account_name)
    kit = merchant(settings)
    refund(kit, account_name, qr(kit, account_name))
    codes(kit, account_name)
    other = dict(settings, private_key=account("wechat-key")["private_key"])
    refused(merchant(other), account_name, "a wrong key is refused", "isv.invalid-signature")
    real = alipay.datetime

    class SlowClock(real):
        @classmethod
        def now(cls, tz=None):
            from datetime import timedelta

            return real.now(tz) - timedelta(minutes=6)

    alipay.datetime = SlowClock
    refused(kit, account_name, "a clock six minutes off", "isv.invalid-timestamp")
    alipay.datetime = real


if __name__ == "__main__":
    for name in ("alipay-keys", "alipay-certificates"):
        stories(name)
