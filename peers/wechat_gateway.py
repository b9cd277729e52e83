"""PyPI wechatpayv3 as the gateway of our own client, in certificate mode."""

import base64
import datetime
import json
import os
import re
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from front import Client, Front, new_key
from gateway import Notices, account, ok, pay, phone, show_code
from wechatpayv3 import utils

NAME = "wechat-certificates"
NOTICES = Notices(b"")
CALLER = {"accept": "application/json", "user-agent": "peer"}
JSON = "application/json"
TODAY = time.strftime("%Y-%m-%d")
YESTERDAY = time.strftime("%Y-%m-%d", time.localtime(time.time() - 86_400))


def platform_certificate(key):
    today = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made


class Gateway:
    """The kit in the gateway's place."""

    def __init__(self):
        self.settings = account(NAME)
        self.key, _, _ = new_key()
        self.stranger, _, _ = new_key()
        self.certificate = platform_certificate(self.key)
        self.serial = f"{self.certificate.serial_number:040X}"
        own = x509.load_pem_x509_certificate(self.settings["certificate"].encode())
        self.own_serial, self.own_key = own.serial_number, own.public_key()
        self.private = utils.load_private_key(self.settings["private_key"])
        self.is_forging = False
        self.ahead = 0
        self.judged = []
        self.front = Front(self.answer)
        settings = dict(self.settings, base_url=f"http://{self.front.host}")
        self.client = Client("wechat", NAME, settings)

    def answer(self, method, target, headers, body):
        text = body.decode()
        fields = dict(re.findall(r'(\w+)="([^"]*)"', headers["authorization"]))
        # The kit's check joins three parts by line feeds; a request's first two go in front.
        head = f"{method}\n{target}\n{fields['timestamp']}"
        is_genuine = utils.rsa_verify(
            head, fields["nonce_str"], text, fields["signature"], self.own_key
        )
        is_genuine = is_genuine and int(fields["serial_no"], 16) == self.own_serial
        path = re.sub(r"(ZF|TK)\w+", "…", target.split("?")[0])
        self.judged.append((f"{method} {path}", is_genuine))
        if target == "/v3/certificates":
            body = self.certificates().encode()
            return 200, {"content-type": JSON, **self.seal(body, self.key)}, body
        # Our client asks for no bill of a day that is not over; the book's today stands for it.
        target = target.replace(YESTERDAY, TODAY)
        status, told, answer = self.front.ask(method, target, self.asking(method, target, text), body)
        if "wechatpay-signature" not in told:
            return status, {"content-type": told.get("content-type", JSON)}, answer
        return self.sealed(status, answer)

    def asking(self, method, target, text):
        """The caller's headers, signed anew by the gateway's clock."""
        real = utils.time.time
        utils.time.time = lambda: real() + self.ahead
        try:
            authorization = utils.build_authorization(
                target, method, self.settings["mchid"], f"{self.own_serial:040X}", self.private, text
            )
        finally:
            utils.time.time = real
        return {**CALLER, "authorization": authorization, "content-type": JSON}

    def sealed(self, status, body):
        key = self.stranger if self.is_forging else self.key
        return status, {"content-type": JSON, **self.seal(body, key)}, body

    def seal(self, body, key):
        stamp, nonce = str(int(time.time())), os.urandom(16).hex()
        signature = utils.rsa_sign(key, f"{stamp}\n{nonce}\n{body.decode()}\n")
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signature,
            "Wechatpay-Serial": self.serial,
        }

    def closed_up(self, plain, associated):
        nonce = os.urandom(6).hex()
        key = AESGCM(self.settings["api_v3_key"].encode())
        sealed = key.encrypt(nonce.encode(), plain.encode(), associated.encode())
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": associated,
            "ciphertext": base64.b64encode(sealed).decode(),
        }

    def certificates(self):
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        listed = {
            "serial_no": self.serial,
            "effective_time": self.certificate.not_valid_before_utc.isoformat(),
            "expire_time": self.certificate.not_valid_after_utc.isoformat(),
            "encrypt_certificate": self.closed_up(pem, "certificate"),
        }
        return json.dumps({"data": [listed]})

    def notice(self, raw):
        """A notice of the book's, opened by the kit and closed up anew."""
        event = json.loads(raw)
        resource = event["resource"]
        plain = utils.aes_decrypt(
            resource["nonce"],
            resource["ciphertext"],
            resource["associated_data"],
            self.settings["api_v3_key"],
        )
        kind = resource["original_type"]
        event["resource"] = {"original_type": kind, **self.closed_up(plain, kind)}
        return json.dumps(event).encode()


def notices(gateway, expected, step):
    client = gateway.client
    _, raw = NOTICES.next()
    body = gateway.notice(raw)
    said = client.judge(gateway.seal(body, gateway.key), body)
    ok(f"{NAME}: {step} is believed", said == expected, said)
    said = client.judge(gateway.seal(body, gateway.stranger), body)
    ok(f"{NAME}: {step} of another key is refused", said["notice"] == "refused", said)
    said = client.judge(gateway.seal(body, gateway.key), body + b" ")
    ok(f"{NAME}: {step} that was changed is refused", said["notice"] == "refused", said)


def stories(gateway):
    client = gateway.client
    made = client.shows(
        "order", "created", "create", "--amount", "300.00", "--notify-url", NOTICES.url
    )
    number = made["number"]
    client.shows("nobody has scanned", "pending", "query", number, state="not_scanned")
    pay(made["qr"])
    client.shows("query", "success", "query", number, amount_fen=30000)
    payment = {"notice": "payment", "number": number, "amount_fen": 30000}
    notices(gateway, payment, "a notice")
    client.shows("a paid order is not closed", "already_paid", "close", number)
    open_order = client.call("create", "--amount", "1.00", "--notify-url", NOTICES.url)
    client.shows("close", "closed", "close", open_order["number"])
    charge = ("charge", "--amount", "300.00")
    shown = show_code("WECHAT")
    client.shows("payment code", "success", *charge, text=shown["digits"], amount_fen=30000)
    shown = show_code("WECHAT", asks_password=True)
    waiting = client.shows(
        "payment code with 202", "pending", *charge, text=shown["digits"], state="user_paying"
    )["number"]
    phone("POST", f"/phone/pay/{shown['token']}", {"action": "pay"})
    client.shows("paid after the password", "success", "query", waiting)
    # No reversal in the first fifteen seconds.
    time.sleep(16)
    client.shows("reverse", "reversed", "reverse", waiting)
    shown = show_code("WECHAT", declines="balance_short")
    client.shows("declined", "declined", *charge, text=shown["digits"], code="BalanceShort")
    refund = client.shows(
        "refund", "accepted", "refund", number, "--paid", "300.00", "--amount", "100.00"
    )["refund_number"]
    asked = ("refund-query", number, "--refund-number", refund)
    # The book needs a moment until the money is there.
    end = time.time() + 20
    while client.call(*asked)["result"] == "accepted" and time.time() < end:
        time.sleep(0.5)
    client.shows("refund query", "succeeded", *asked, amount_fen=10000)
    gateway.is_forging = True
    answer = client.shows("an answer of another key", "unknown", "query", number)
    ok(f"{NAME}: and says so", "signature" in answer["cause"], answer)
    gateway.is_forging = False
    return number


def bill(gateway, number):
    client = gateway.client
    gateway.ahead = phone("PUT", "/phone/clock", {"ahead_ms": 36 * 3_600_000})["ahead_ms"] // 1000
    told = client.shows("bill", "ready", "bill", YESTERDAY)
    lines = [line for line in told["lines"] if line["attempt_no"] == number]
    kinds = sorted((line["kind"], line["amount_fen"]) for line in lines)
    expected = [("payment", 30000), ("refund", 10000)]
    ok(f"{NAME}: the bill has payment and refund", kinds == expected, told)


gateway = Gateway()
bill(gateway, stories(gateway))
wrong = [call for call, is_genuine in gateway.judged if not is_genuine]
ok(f"{NAME}: {len(gateway.judged)} signatures hold", not wrong, wrong)
for call in sorted({call for call, _ in gateway.judged}):
    ok(f"{NAME}: our {call} is verified")
