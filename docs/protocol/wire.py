"""Bytes of the protocol, by encoding.md and operations.md: writing, reading, checking.

Run alone it checks every vector:  python3 wire.py
"""

import base64
import hashlib
import json
import pathlib
import struct
import unicodedata
import uuid

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OPERATION_MAX = 65_536
PROTECTED = bytes.fromhex("a10127")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class Unreadable(Exception):
    """No operation of this device: a server takes nothing of a push with it."""


class Held(Exception):
    """Signed by the device, and not to be read: a server keeps the bytes."""


def cbor(value):
    return cbor2.dumps(value, canonical=True)


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_of(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


# Signature, hash, chain.


def signed_content(payload, external=b""):
    return cbor(["Signature1", PROTECTED, external, payload])


def seal(payload, key, external=b""):
    return cbor([PROTECTED, {}, payload, key.sign(signed_content(payload, external))])


def unseal(data, public):
    """The payload, when the form is the only one and the signature is of that key."""
    try:
        protected, unprotected, payload, signature = cbor2.loads(data)
        is_form = (protected, unprotected) == (PROTECTED, {}) and len(signature) == 64
        if not is_form or len(data) > OPERATION_MAX:
            raise Unreadable("another form")
        if cbor([protected, unprotected, payload, signature]) != data:
            raise Unreadable("another form")
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed_content(payload))
        return payload
    except (cbor2.CBORDecodeError, InvalidSignature, TypeError, ValueError) as error:
        raise Unreadable(str(error)) from error


def hash_of(data):
    return hashlib.sha256(data).digest()


CALL = b"qiantai call"


def call_payload(method, path, body, device, challenge):
    return cbor({0: method, 1: path, 2: hash_of(body), 3: an_id(device), 4: unbase64(challenge)})


def call_header(method, path, body, device, challenge, key):
    """Value of the header Qiantai-Call: a call that a manager makes from this terminal."""
    return to_base64(seal(call_payload(method, path, body, device, challenge), key, CALL))


# Values.


def packed(prefix, text):
    """An order number in 13 bytes, or the text when it has another form."""
    digits, random = text[2:26], text[26:]
    is_number = len(text) == 30 and text[:2] == prefix and digits.isascii() and digits.isdigit()
    if not is_number or not set(random) <= set(CROCKFORD):
        return text
    number = int(digits)
    for character in random:
        number = number << 5 | CROCKFORD.index(character)
    return number.to_bytes(13, "big")


def an_id(text):
    return uuid.UUID(text).bytes


def without_nones(fields):
    return {key: value for key, value in fields.items() if value is not None}


def cut(elements):
    """Absent elements at the end of an array are left off."""
    while elements and elements[-1] is None:
        elements.pop()
    return elements


def flag(is_set):
    return True if is_set else None


def proof(staff):
    return staff and [an_id(staff["staff"]), {"pin": 1}[staff["method"]], staff["policy_version"]]


# Bodies. Each takes the body in words and the envelope in words.


def shift_open(body, _):
    return {0: an_id(body["shift"]), 1: packed("JB", body["shift_no"]), 2: body["float"]}


def recharge_open(body, around):
    quote, seller = body["quote"], body["seller"]
    pay = quote["pay_fen"]
    growth_implied = pay // 100 if pay >= 0 else -(-pay // 100)
    staff = around["staff"] and around["staff"]["staff"]
    promised = [
        quote["policy_version"],
        around["wall_time_ms"] - quote["quoted_at_ms"],
        pay,
        quote["bonus_fen"],
        quote["points"],
        None if quote["growth"] == growth_implied else quote["growth"],
        quote["bonus_valid_days"],
        an_id(quote["tier_before"]),
        None if quote["tier_after"] == quote["tier_before"] else an_id(quote["tier_after"]),
        [[an_id(template), count] for template, count in quote["coupons"]] or None,
    ]
    return without_nones({
        0: None if body["order"] == around["action_id"] else an_id(body["order"]),
        1: packed("CZ", body["order_no"]),
        2: an_id(body["member"]),
        3: body["package"] and [an_id(body["package"][0]), body["package"][1]],
        4: body["amount_fen"],
        5: cut(promised),
        6: seller and (True if seller == staff else an_id(seller)),
        7: flag(body["duplicate_confirmed"]),
        8: body["cash_part_fen"],
    })


def recharge_cash(body, around):
    implied = body["tendered_fen"] - body["open"]["quote"]["pay_fen"]
    return without_nones({
        0: recharge_open(body["open"], around),
        1: body["tendered_fen"],
        2: None if body["change_fen"] == implied else body["change_fen"],
        3: proof(body["approval"]),
    })


def recharge_recorded(body, around):
    return without_nones({
        0: recharge_open(body["open"], around),
        1: WORDS["channel"][body["channel"]],
        2: body["reference"],
        3: flag(body["reference_confirmed"]),
        4: proof(body["approval"]),
        5: body["cash_part_fen"],
    })


def attempt_start(body, _):
    return {
        0: an_id(body["attempt"]),
        1: packed("ZF", body["attempt_no"]),
        2: an_id(body["order"]),
        3: WORDS["channel"][body["channel"]],
        4: WORDS["method"][body["method"]],
        5: body["amount_fen"],
    }


def member_create(body, around):
    is_own = body["member"] == around["action_id"]
    return without_nones({
        0: None if is_own else an_id(body["member"]),
        1: body["member_no"],
    })


def spend_offline(body, _):
    return without_nones({
        0: an_id(body["member"]),
        1: body["amount_fen"],
        2: [[an_id(lease), fen] for lease, fen in body["draws"]] or None,
        3: proof(body["approval"]),
    })


def lease_release(body, _):
    return {0: an_id(body["lease"]), 1: an_id(body["member"])}


def drawer_open(body, _):
    return without_nones({
        0: WORDS["drawer reason"][body["reason"]],
        1: body["words"],
        2: proof(body["approval"]),
    })


def of_order(body, _):
    return without_nones({
        0: an_id(body["order"]),
        1: body.get("copy"),
        2: proof(body.get("approval")),
    })


# Kind, and who writes its body.
KINDS = {
    "shift.open": (1, shift_open),
    "recharge.open": (2, recharge_open),
    "attempt.start": (3, attempt_start),
    "recharge.cash": (4, recharge_cash),
    "recharge.cancel": (5, of_order),
    "receipt.reprint": (6, of_order),
    "member.create": (7, member_create),
    "recharge.recorded": (8, recharge_recorded),
    "spend.offline": (9, spend_offline),
    "lease.release": (10, lease_release),
    "drawer.open": (11, drawer_open),
}
WORDS = {
    "channel": {"wechat": 1, "alipay": 2, "unionpay": 3, "ecny": 4, "card": 5, "cash": 6,
                "transfer": 7, "shop_code": 8},
    "method": {"qr": 1, "code": 2, "recorded": 3},
    "drawer reason": {"change": 1, "count": 2, "mistake": 3, "other": 4},
}


def payload_of(kind, means):
    """The payload of an operation in words (`means` of a vector)."""
    number, body = KINDS[kind]
    is_approved = kind in ("recharge.cash", "receipt.reprint") and means["body"].get("approval")
    is_split = kind in ("recharge.open", "recharge.recorded") and means["body"]["cash_part_fen"]
    is_by_code = kind == "recharge.recorded" and means["body"]["channel"] == "shop_code"
    made_at = int.from_bytes(an_id(means["op_id"])[:6], "big")
    wall, anchor, cursor = means["wall_time_ms"], means["server_anchor_ms"], means["cursor"]
    return cbor(without_nones({
        0: number,
        1: 3 if is_by_code else 2 if is_approved or is_split else None,
        2: an_id(means["op_id"]),
        3: None if means["action_id"] == means["op_id"] else an_id(means["action_id"]),
        4: an_id(means["tenant"]),
        5: an_id(means["store"]),
        6: an_id(means["device"]),
        7: None if means["epoch"] == 1 else means["epoch"],
        8: means["device_seq"],
        9: bytes.fromhex(means["prev_hash"]),
        10: proof(means["staff"]),
        11: means["shift"] and an_id(means["shift"]),
        12: wall - made_at,
        13: an_id(means["boot_id"]).lstrip(b"\0"),
        14: means["monotonic_ms"],
        15: None if anchor is None else wall - anchor,
        16: cursor and [cursor["timeline"], cursor["server_seq"]],
        17: flag(means["offline"]),
        18: means["attachment"] and bytes.fromhex(means["attachment"]),
        20: body(means["body"], means),
    }))


# Reading. A form is a test of one value.


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def raw(length):
    return lambda value: isinstance(value, bytes) and len(value) == length


def either(*forms):
    return lambda value: any(form(value) for form in forms)


def text(value):
    return isinstance(value, str)


def number_text(value):
    return text(value) and len(value) <= 64 and all(unicodedata.category(c) != "Cc" for c in value)


def true(value):
    return value is True


def array(value):
    return isinstance(value, list)


ID, HASH = raw(16), raw(32)
NUMBER = either(raw(13), number_text)
OPEN = ({1: NUMBER, 2: ID, 5: array},
        {0: ID, 3: array, 4: whole, 6: either(ID, true), 7: true})
# Fields that must be there, and fields that may.
ENVELOPE = (
    {0: whole, 2: ID, 4: ID, 5: ID, 6: ID, 8: whole, 9: HASH, 12: whole,
     13: lambda value: isinstance(value, bytes) and len(value) <= 16, 14: whole,
     20: lambda value: isinstance(value, dict)},
    {1: whole, 3: ID, 7: whole, 10: array, 11: ID, 15: whole, 16: array, 17: true, 18: HASH},
)
BODIES = {
    1: ({0: ID, 1: NUMBER, 2: array}, {}),
    2: (OPEN[0], {**OPEN[1], 8: whole}),
    3: ({0: ID, 1: NUMBER, 2: ID, 3: whole, 4: whole, 5: whole}, {}),
    4: ({0: lambda value: fits(value, OPEN), 1: whole}, {2: whole, 3: array}),
    5: ({0: ID}, {}),
    6: ({0: ID, 1: whole}, {2: array}),
    7: ({1: number_text}, {0: ID}),
    8: ({0: lambda value: fits(value, OPEN), 1: whole, 2: text}, {3: true, 4: array, 5: whole}),
    9: ({0: ID, 1: whole}, {2: array, 3: array}),
    10: ({0: ID, 1: ID}, {}),
    11: ({0: whole, 2: array}, {1: text}),
    68: ({0: ID, 1: array}, {}),
    72: ({0: ID, 1: ID, 2: array}, {}),
}
VERSIONS = {2: 2, 4: 2, 6: 2, 8: 3}


def fits(fields, forms):
    needed, allowed = forms
    known = {**needed, **allowed}
    return (isinstance(fields, dict) and needed.keys() <= fields.keys() <= known.keys()
            and all(known[key](value) for key, value in fields.items()))


def read(data, public):
    """The payload's fields; the words of a body are left to whoever needs them."""
    payload = unseal(data, public)
    try:
        fields = cbor2.loads(payload)
    except cbor2.CBORDecodeError as error:
        raise Unreadable(str(error)) from error
    needed, allowed = ENVELOPE
    known = {key: value for key, value in fields.items() if key in {**needed, **allowed}}
    if not fits(known, ENVELOPE):
        raise Unreadable("no envelope")
    kind, version = fields[0], fields.get(1, 1)
    if kind not in BODIES or version > VERSIONS.get(kind, 1):
        raise Held("newer")
    says_implied = fields.get(7) == 1 or fields.get(1) == 1 or fields.get(3) == fields[2]
    if known != fields or says_implied or cbor(fields) != payload:
        raise Held("another form")
    if not fits(fields[20], BODIES[kind]):
        raise Held("another body")
    return fields


# The server's chain.

ACCOUNTS = ["member principal", "member debt", "drawer", "clearing", "revenue", "suspense",
            "opening", "member bonus", "bonus granted"]
OUTCOMES = ["applied", "exists", "exists_with_different", "refused", "held"]


def log_link(before, server_seq, operation, outcome, postings):
    """The hash of one place of the log, as sync.md says."""
    parts = [before, server_seq.to_bytes(8, "big"), operation,
             bytes([OUTCOMES.index(outcome["status"]) + 1])]
    if "field" in outcome:
        parts += [len(outcome["field"]).to_bytes(8, "big"), outcome["field"].encode()]
    if "code" in outcome:
        parts.append(outcome["code"].to_bytes(2, "big"))
    parts.append(len(postings).to_bytes(8, "big"))
    for posting in postings:
        named = [an_id(of) if isinstance(of, str) else of.to_bytes(16, "big")
                 for of in posting["of"]]
        parts += [posting["leg"].to_bytes(2, "big"),
                  bytes([{"money": 1, "bonus": 2}[posting["book"]]]),
                  bytes([ACCOUNTS.index(posting["account"]) + 1]),
                  *(named + [bytes(16), bytes(16)])[:2],
                  posting["amount_fen"].to_bytes(8, "big", signed=True)]
    return hash_of(b"".join(parts))


# Receipts.


def receipt_text(data):
    digits = []
    for place in range(0, len(data), 2):
        pair = data[place:place + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            digits.append(BASE45[number % 45])
            number //= 45
    return "QT1:" + "".join(digits)


def of_receipt(code):
    data, digits = b"", [BASE45.index(character) for character in code.removeprefix("QT1:")]
    for place in range(0, len(digits), 3):
        group = digits[place:place + 3]
        number = sum(digit * 45**power for power, digit in enumerate(group))
        data += number.to_bytes(len(group) - 1, "big")
    return data


# Sealed profiles.


def hchacha20(key, nonce):
    """The key of the inner cipher of XChaCha20 (draft-irtf-cfrg-xchacha §2.2)."""
    state = list(struct.unpack("<16L", b"expand 32-byte k" + key + nonce))

    def turn(word, by):
        return (word << by | word >> (32 - by)) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            state[z] = turn(state[z] ^ state[x], by)

    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(a, b, c, d)
    return struct.pack("<8L", *state[:4], *state[12:])


def seal_profile(plain, member, key, nonce):
    inner = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    sealed = inner.encrypt(bytes(4) + nonce[16:], json.dumps(plain).encode(), an_id(member))
    return b"\1" + nonce + sealed


def open_profile(sealed, member, key):
    inner = ChaCha20Poly1305(hchacha20(key, sealed[1:17]))
    return json.loads(inner.decrypt(bytes(4) + sealed[17:25], sealed[25:], an_id(member)))


# Vectors.


def check_vectors():
    """How many were checked; an AssertionError names the first that differs."""
    here = pathlib.Path(__file__).parent
    vectors = json.loads((here / "vectors.json").read_text(encoding="utf-8"))
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vectors["key"]["seed"]))
    public = public_of(key)
    assert public.hex() == vectors["key"]["public"]
    for vector in vectors["operations"]:
        data, name = bytes.fromhex(vector["bytes"]), vector["name"]
        payload = unseal(data, public)
        assert payload.hex() == vector["payload"], name
        assert cbor(cbor2.loads(payload)) == payload, name
        assert signed_content(payload).hex() == vector["signed"], name
        assert hash_of(data).hex() == vector["hash"], name
        if vector["kind"] in KINDS:
            assert payload_of(vector["kind"], vector["means"]).hex() == vector["payload"], name
            assert seal(payload, key) == data, name
            read(data, public)
    before = bytes(32)
    for link in vectors["chain"]:
        fields = read(bytes.fromhex(link["bytes"]), public)
        assert (fields[8], fields[9]) == (link["device_seq"], before)
        before = hash_of(bytes.fromhex(link["bytes"]))
        assert before.hex() == link["hash"]
    for vector in vectors["log"]:
        before, operation = bytes.fromhex(vector["prev"]), bytes.fromhex(vector["operation"])
        own = log_link(before, vector["server_seq"], operation, vector["outcome"],
                       vector["postings"])
        assert own.hex() == vector["hash"], vector["server_seq"]
    for vector in vectors["refused"]:
        try:
            read(bytes.fromhex(vector["bytes"]), public)
            answer = "taken"
        except Unreadable:
            answer = "operation_unreadable"
        except Held:
            answer = "held"
        assert answer == vector["answer"], (vector["name"], answer)
    receipt = vectors["receipt"]
    assert receipt_text(bytes.fromhex(receipt["bytes"])) == receipt["text"]
    assert of_receipt(receipt["text"]).hex() == receipt["bytes"]
    profile = vectors["profile"]
    secret, sealed = bytes.fromhex(profile["key"]), bytes.fromhex(profile["sealed"])
    opened = open_profile(sealed, profile["member"], secret)
    assert {key: value for key, value in opened.items() if value is not None} == profile["plain"]
    assert hash_of(sealed).hex() == profile["attachment"]
    nonce = bytes.fromhex(profile["nonce"])
    again = seal_profile(profile["plain"], profile["member"], secret, nonce)
    assert open_profile(again, profile["member"], secret) == profile["plain"]
    call = vectors["call"]
    called = (call["method"], call["path"], call["body"].encode(), call["device"], call["challenge"])
    payload = call_payload(*called)
    assert payload.hex() == call["payload"]
    assert signed_content(payload, CALL).hex() == call["signed"]
    assert seal(payload, key, CALL).hex() == call["bytes"]
    assert call_header(*called, key) == call["header"]
    for words, numbers in WORDS.items():
        known = [[number, word] for word, number in numbers.items()]
        assert known == vectors["codes"]["words"][words]
    return sum(len(vectors[part]) for part in ("operations", "chain", "log", "refused")) + 3


if __name__ == "__main__":
    print(check_vectors(), "vectors hold")
