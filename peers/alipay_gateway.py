"""PyPI python-alipay-sdk as the gateway of our own client, in both key modes."""

import base64
import datetime
import json
import sys
import time
import urllib.parse

from alipay import AliPay, DCAliPay
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from front import Client, Front, new_key, public_pem
from gateway import Notices, account, ok, pay, phone, show_code

NOTICES = Notices(b"success")
APPLICATION = "application/x-www-form-urlencoded;charset=utf-8"


def certificate(key, name, issuer_key, issuer, is_root):
    today = datetime.datetime.now(datetime.timezone.utc)
    parts = lambda common: x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Peer"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Gateway"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(parts(name))
        .issuer_name(parts(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


class Gateway:
    """The kit in the gateway's place."""

    def __init__(self, name):
        self.name, self.settings = name, account(name)
        self.by_certificate = "app_certificate" in self.settings
        app_private = self.settings["private_key"]
        self.key, private, public = new_key()
        _, self.stranger, _ = new_key()
        app_key = serialization.load_pem_private_key(app_private.encode(), None)
        common = {"appid": self.settings["app_id"], "app_notify_url": None}
        # Verifies by the application's key, signs by the gateway's.
        self.kit = AliPay(
            app_private_key_string=private,
            alipay_public_key_string=public_pem(app_key),
            **common,
        )
        self.forger = AliPay(
            app_private_key_string=self.stranger,
            alipay_public_key_string=public_pem(app_key),
            **common,
        )
        # The application before the book.
        book = self.settings.get("alipay_public_keys") or [self.key_of_book()]
        self.app = AliPay(
            app_private_key_string=app_private, alipay_public_key_string=book[0], **common
        )
        self.is_forging = False
        self.ahead = 0
        self.judged = []
        self.front = Front(self.answer)
        self.client = Client("alipay", name, self.settings_of_client(public))

    def key_of_book(self):
        pem = self.settings["alipay_certificates"][0].encode()
        key = x509.load_pem_x509_certificate(pem).public_key()
        return key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()

    def settings_of_client(self, public):
        settings = dict(self.settings, base_url=f"http://{self.front.host}")
        if not self.by_certificate:
            return dict(settings, alipay_public_keys=[public])
        root_key, _, _ = new_key()
        own = "支付宝(中国)网络技术有限公司-Peer"
        self.root = certificate(root_key, "Peer Root", root_key, "Peer Root", True)
        self.shown = certificate(self.key, own, root_key, "Peer Root", False)
        # One that the client has to fetch.
        self.next = certificate(self.key, own, root_key, "Peer Root", False)
        return dict(
            settings, alipay_root_certificates=self.root, alipay_certificates=[self.shown]
        )

    def answer(self, method, target, _, body):
        if not target.startswith("/gateway.do"):
            return self.front.ask(method, target, {}, None)
        params = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        sign = params.pop("sign")
        text = "&".join(f"{key}={value}" for key, value in sorted(params.items()))
        is_genuine = self.kit._verify(text, sign)
        if self.by_certificate:
            named = params["app_cert_sn"], params["alipay_root_cert_sn"]
            is_genuine = is_genuine and named == self.names()
            params["alipay_root_cert_sn"] = DCAliPay.get_root_cert_sn(
                self.settings["alipay_root_certificates"]
            )
        self.judged.append((params["method"], is_genuine))
        node = params["method"].replace(".", "_") + "_response"
        if params["method"] == "alipay.open.app.alipaycert.download":
            content = base64.b64encode(self.next.encode()).decode()
            return self.signed(
                node, '{"code":"10000","msg":"Success","alipay_cert_content":"%s"}' % content
            )
        at = time.localtime(time.time() + self.ahead)
        params["timestamp"] = time.strftime("%Y-%m-%d %H:%M:%S", at)
        form = self.app.sign_data(params).encode()
        _, _, told = self.front.ask("POST", "/gateway.do", {"content-type": APPLICATION}, form)
        told = told.decode()
        content = self.app._get_string_to_be_signed(told, node)
        is_of_book = self.app._verify(content, sign_of(told))
        self.judged.append((f"{params['method']} by the book", is_of_book))
        return self.signed(node, content)

    def names(self):
        app = self.settings["app_certificate"]
        return DCAliPay.get_cert_sn(app), DCAliPay.get_root_cert_sn(self.root)

    def signed(self, node, content):
        sign = (self.forger if self.is_forging else self.kit)._sign(content)
        name = ""
        if self.by_certificate:
            name = f'"alipay_cert_sn":"{DCAliPay.get_cert_sn(self.shown)}",'
        said = '{"%s":%s,%s"sign":"%s"}' % (node, content, name, sign)
        return 200, {"content-type": "text/html;charset=utf-8"}, said.encode()

    def notice(self, raw, kit):
        """A notice of the book's, signed anew."""
        fields = dict(urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True))
        sign = fields.pop("sign")
        kind = fields["sign_type"]
        ok(f"{self.name}: the book's notice", self.app.verify(dict(fields), sign), fields)
        fields.pop("sign_type")
        fields.pop("alipay_cert_sn", None)
        text = "&".join(f"{key}={value}" for key, value in sorted(fields.items()))
        fields.update(sign=kit._sign(text), sign_type=kind)
        return urllib.parse.urlencode(fields).encode()


def sign_of(told):
    return json.loads(told)["sign"]


def notices(gateway, number):
    client, headers = gateway.client, {"content-type": APPLICATION}
    _, raw = NOTICES.next(number)
    genuine = gateway.notice(raw, gateway.kit)
    said = client.judge(headers, genuine)
    fits = said == {"notice": "payment", "number": number, "amount_fen": 30000}
    ok(f"{client.name}: a notice is believed", fits, said)
    for step, body in (
        ("a notice of another key", gateway.notice(raw, gateway.forger)),
        ("a notice that was changed", genuine.replace(b"300.00", b"900.00")),
    ):
        said = client.judge(headers, body)
        ok(f"{client.name}: {step} is refused", said["notice"] == "refused", said)


def stories(name):
    gateway = Gateway(name)
    client = gateway.client
    made = client.shows(
        "order", "created", "create", "--amount", "300.00", "--notify-url", NOTICES.url
    )
    number = made["number"]
    client.shows("nobody has scanned", "unknown", "query", number)
    pay(made["qr"])
    client.shows("query", "success", "query", number, amount_fen=30000)
    notices(gateway, number)
    charge = ("charge", "--amount", "300.00")
    shown = show_code("ALIPAY")
    client.shows("payment code", "success", *charge, text=shown["digits"], amount_fen=30000)
    shown = show_code("ALIPAY", asks_password=True)
    waiting = client.shows(
        "payment code with password", "pending", *charge, text=shown["digits"], state="user_paying"
    )["number"]
    phone("POST", f"/phone/pay/{shown['token']}", {"action": "pay"})
    client.shows("paid after the password", "success", "query", waiting)
    client.shows("reverse", "reversed", "reverse", waiting, money_returned=True)
    shown = show_code("ALIPAY", declines="balance_short")
    client.shows("declined", "declined", *charge, text=shown["digits"], code="BalanceShort")
    open_order = client.call("create", "--amount", "1.00")
    phone("POST", "/phone/open", {"payload": open_order["qr"]})
    client.shows("close", "closed", "close", open_order["number"])
    refund = client.shows(
        "refund", "succeeded", "refund", number, "--paid", "300.00", "--amount", "100.00"
    )
    refund_no = ("--refund-number", refund["refund_number"])
    client.shows("refund not told at once", "unknown", "refund-query", number, *refund_no)
    if gateway.by_certificate:
        gateway.shown = gateway.next
        client.shows("a new certificate is fetched", "success", "query", number)
    gateway.is_forging = True
    answer = client.shows("an answer of another key", "unknown", "query", number)
    ok(f"{name}: and says so", "signature" in answer["cause"], answer)
    gateway.is_forging = False
    bill(gateway, number)
    wrong = [method for method, is_genuine in gateway.judged if not is_genuine]
    ok(f"{name}: {len(gateway.judged)} signatures hold", not wrong, wrong)
    for method in sorted({method for method, _ in gateway.judged if " " not in method}):
        ok(f"{name}: our {method} is verified")


def bill(gateway, number):
    client, day = gateway.client, time.strftime("%Y-%m-%d")
    ahead = phone("PUT", "/phone/clock", {"ahead_ms": 36 * 3_600_000})["ahead_ms"]
    gateway.ahead = ahead // 1000
    client.shows("refund query", "succeeded", "refund-query", number, "--refund-number",
                 gateway_refund(gateway, number), amount_fen=10000)
    told = client.shows("bill", "ready", "bill", day)
    lines = [line for line in told["lines"] if line["attempt_no"] == number]
    kinds = sorted((line["kind"], line["amount_fen"]) for line in lines)
    expected = [("payment", 30000), ("refund", 10000)]
    ok(f"{client.name}: the bill has payment and refund", kinds == expected, told)


def gateway_refund(gateway, number):
    told = gateway.client.call("bill", time.strftime("%Y-%m-%d"))
    found = [line for line in told.get("lines", []) if line["attempt_no"] == number]
    return next(line["refund_no"] for line in found if line["kind"] == "refund")


# One mode to a gateway: the bill puts its clock ahead.
stories(sys.argv[6])
