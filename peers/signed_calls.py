"""What a manager asks for, as a terminal asks: schemathesis makes the requests up, and the terminal's key
signs each over a challenge of the server's (docs/protocol/encoding.md, "Signed calls"). schemathesis
loads it by the name in SCHEMATHESIS_HOOKS; `interface.py` tells it who signs, and reads what it counted.
"""

import atexit
import collections
import json
import os
import pathlib
import sys
import urllib.parse

import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs/protocol"))

import wire  # noqa: E402

HEADER = "Qiantai-Call"
CALL_UNSIGNED = 1070
CALLER = json.loads(pathlib.Path(os.environ["QIANTAI_CALLER"]).read_text())
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(CALLER["key"]))

# Rules move with each change that is done; one that starts from others is refused.
rules = {"version": CALLER["policy_version"]}
counts = collections.defaultdict(collections.Counter)


class Signed(requests.auth.AuthBase):
    """Signs the bytes that go out."""

    def __call__(self, request):
        challenge = self.challenge(request) if request.method == "POST" else None
        if challenge:
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else body
            path = urllib.parse.urlsplit(request.path_url).path
            request.headers[HEADER] = wire.call_header(
                request.method, path, body, CALLER["device"], challenge, KEY)
        return request

    @staticmethod
    def challenge(request):
        """None where the server wants no signature, or does not know who asks."""
        headers = {name: value for name, value in request.headers.items()
                   if name.lower() in ("authorization", "qiantai-protocol")}
        refused = requests.post(request.url, headers=headers, timeout=60)
        return refused.json().get("params", {}).get("challenge")


@schemathesis.hook
def before_call(context, case, kwargs):
    """A person who is a manager, and the rules as they are: made-up ones are refused at once."""
    kwargs["auth"] = Signed()
    if isinstance(case.body, dict):
        known = {"manager": CALLER["manager"], "base_version": rules["version"],
                 "policy_version": rules["version"]}
        for name, value in known.items():
            if isinstance(case.body.get(name), type(value)):
                case.body[name] = value


@schemathesis.hook
def after_call(context, case, response):
    path = case.operation.path
    answer = answer_of(response)
    if HEADER not in response.request.headers:
        counts[path]["unsigned"] += 1
    elif answer.get("code") == CALL_UNSIGNED:
        counts[path]["signature refused"] += 1
    else:
        counts[path]["2xx" if response.status_code < 300 else "refused"] += 1
    if response.status_code == 200 and "policy" in answer:
        rules["version"] = answer["policy"]["version"]


def answer_of(response):
    try:
        answer = json.loads(response.content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@atexit.register
def tell():
    pathlib.Path(CALLER["counts"]).write_text(json.dumps(counts))
