"""Our own client's requests, verified by the independent kits' primitives.

Reads the JSON lines of `cargo run -p qiantai-pay --example peer_requests` from the file named last.
"""

import base64
import json
import re
import sys
import urllib.parse

from alipay import AliPay
from cryptography import x509
from gateway import account, ok
from wechatpayv3.utils import rsa_verify


def wechat(line):
    fields = dict(re.findall(r'(\w+)="([^"]*)"', line["authorization"]))
    certificate = x509.load_pem_x509_certificate(account("wechat-key")["certificate"].encode())
    ok(f"wechat {line['target']}: serial", int(fields["serial_no"], 16) == certificate.serial_number)
    # The kit's check joins three parts by line feeds; a request's first two parts go in front.
    head = f"{line['method']}\n{line['target']}\n{fields['timestamp']}"
    body = base64.b64decode(line["body"]).decode()
    genuine = rsa_verify(head, fields["nonce_str"], body, fields["signature"], certificate.public_key())
    ok(f"wechat {line['method']} {line['target'].split('?')[0]}: signature", genuine, line)


def alipay(line):
    settings = account(line["account"])
    own = AliPay("1", None, settings["private_key"], public_of(settings["private_key"]))
    params = dict(urllib.parse.parse_qsl(base64.b64decode(line["body"]).decode()))
    sign = params.pop("sign")
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    ok(f"{line['account']} {params['method']}: signature", own._verify(text, sign), line)


def public_of(private):
    from Cryptodome.PublicKey import RSA

    return RSA.import_key(private).public_key().export_key().decode()


with open(sys.argv[3], encoding="utf-8") as file:
    for line in map(json.loads, file):
        if line["account"].startswith("wechat"):
            wechat(line)
        elif line["account"].startswith("alipay"):
            alipay(line)
