"""A terminal: enrolment, calls, the replica, its own operations. By enrolment.md and sync.md.

What a real terminal keeps on disk is kept in memory here.
"""

import datetime
import json
import secrets
import ssl
import time
import urllib.error
import urllib.request
import uuid

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import wire

CHINA = datetime.timezone(datetime.timedelta(hours=8))
ANSWER_WITHIN_S = 60


class Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status, error):
        super().__init__(f"{status}: {error}")
        self.status, self.code, self.error = status, error["code"], error


def now_ms():
    return time.time_ns() // 1_000_000


def new_id():
    """UUID version 7."""
    value = now_ms() << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    return str(uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62)))


def read_code(code):
    """Server, fingerprint of its authority, secret."""
    data = wire.unbase64("".join(code.split()).removeprefix("QTE1"))
    listed, check = data[:-4], data[-4:]
    assert wire.hash_of(listed)[:4] == check, "the code is damaged"
    server, authority, secret, end = cbor2.loads(listed)
    assert end * 1000 > now_ms(), "the code is too old"
    return server, authority, secret.hex()


class Server:
    """Calls of the HTTP interface."""

    def __init__(self, base, fingerprint):
        self.base, self.token, self.trust = base, None, None
        if fingerprint:
            anybody = ssl.create_default_context()
            anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
            self.trust = anybody
            certificate = wire.unbase64(self.get("/v1/authority")["certificate"])
            assert wire.hash_of(certificate) == fingerprint, "another authority: stop"
            self.trust = ssl.create_default_context(cadata=certificate)
            self.trust.check_hostname = False

    def open(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method)
        request.add_header("Qiantai-Protocol", "1")
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            return urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S, context=self.trust)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, json.load(error)) from error

    def call(self, method, path, body=None):
        with self.open(method, path, body) as answer:
            return json.load(answer)

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)


class Terminal:
    """Own operations in order, and the replica."""

    KEYS = {"policy": lambda row: (row["store"]["id"], row["version"]),
            "account": lambda row: row["member"]}

    def __init__(self, code, name):
        base, fingerprint, invite = read_code(code)
        self.server = Server(base, fingerprint)
        self.key = Ed25519PrivateKey.generate()
        asked = {"invite": invite, "public_key": wire.public_of(self.key).hex(), "name": name}
        self.me = self.server.post("/v1/devices/join", asked)
        # The answer may be lost: the same key with the same code is the same device.
        again = self.server.post("/v1/devices/join", asked)
        assert again["device"] == self.me["device"]
        self.me = again
        self.server.token = self.me["token"]
        self.started, self.boot = time.monotonic_ns(), secrets.randbits(32)
        self.log, self.acked, self.covered = [], 0, set()
        self.rows, self.cursor, self.anchor = {}, None, None
        self.staff, self.shift = None, None

    # The replica.

    def take_snapshot(self):
        rows, after, first = {}, "", None
        while after is not None:
            page = self.server.get(f"/v1/snapshot?limit=1000{after}")
            first = first or page
            self.put(rows, page["rows"])
            after = page["next"] and f"&after_member={page['next']}"
        assert len(rows["account"]) == page["member_total"]
        return rows, {"timeline": first["timeline"], "server_seq": first["at_seq"]}

    def pull(self):
        entries = []
        while True:
            at = self.cursor
            asked = f"/v1/feed?timeline={at['timeline']}&after={at['server_seq']}&limit=2"
            page = self.server.get(asked)
            for entry in page["entries"]:
                assert entry["server_seq"] == self.cursor["server_seq"] + 1, "the feed has a gap"
                self.put(self.rows, entry["changes"])
                self.cursor = {"timeline": page["timeline"], "server_seq": entry["server_seq"]}
                self.covered.add(entry["op_id"])
            entries += page["entries"]
            self.anchor = page["server_time_ms"]
            if self.cursor["server_seq"] >= page["head"]:
                return entries

    def put(self, rows, changes):
        for change in changes:
            table, row = change["table"], change["row"]
            known = rows.setdefault(table, {})
            key = self.KEYS.get(table, lambda row: row["id"])(row)
            if table == "member" and "profile" not in row and "profile" in known.get(key, {}):
                row = {**row, "profile": known[key]["profile"]}
            known[key] = row

    @staticmethod
    def digest(rows):
        parts = []
        for member, account in sorted(rows["account"].items(), key=lambda row: wire.an_id(row[0])):
            lots = [lot for lot in account["lots"]
                    if lot["principal_left_fen"] or lot["bonus_left_fen"]]
            lots.sort(key=lambda lot: wire.an_id(lot["id"]))
            numbers = [account[name] for name in (
                "principal_fen", "bonus_fen", "frozen_principal_fen", "frozen_bonus_fen",
                "debt_fen", "growth", "points", "last_seq")]
            parts.append(wire.an_id(member))
            parts += [number.to_bytes(8, "big", signed=True) for number in [*numbers, len(lots)]]
            for lot in lots:
                parts.append(wire.an_id(lot["id"]))
                parts += [lot[name].to_bytes(8, "big", signed=True)
                          for name in ("principal_left_fen", "bonus_left_fen")]
        return wire.hash_of(b"".join(parts)).hex()

    def policy(self):
        known = self.rows["policy"].values()
        come = [row for row in known if row["effective_from_ms"] <= now_ms()]
        return max(come, key=lambda row: row["version"])

    # Own operations.

    def number(self, prefix):
        at = datetime.datetime.now(CHINA)
        random = "".join(secrets.choice(wire.CROCKFORD) for _ in range(4))
        place = self.policy()["store"]["code"] + self.me["terminal_code"]
        return f"{prefix}{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03}{place}{random}"

    def means(self, body, op_id=None, action=None, attachment=None, offline=False):
        op_id = op_id or new_id()
        return {
            **{name: self.me[name] for name in ("tenant", "store", "device", "epoch")},
            "op_id": op_id, "action_id": action or op_id,
            "device_seq": len(self.log) + 1,
            "prev_hash": wire.hash_of(self.log[-1]).hex() if self.log else "00" * 32,
            "staff": self.staff, "shift": self.shift,
            "wall_time_ms": now_ms(), "boot_id": str(uuid.UUID(int=self.boot)),
            "monotonic_ms": (time.monotonic_ns() - self.started) // 1_000_000,
            "server_anchor_ms": self.anchor, "cursor": self.cursor, "offline": offline,
            "attachment": attachment, "body": body,
        }

    def write(self, kind, body, **around):
        """Durable first: a real terminal writes to its disk here."""
        data = wire.seal(wire.payload_of(kind, self.means(body, **around)), self.key)
        self.log.append(data)
        return data

    def push(self, operations=None, profiles=()):
        pending = self.log[self.acked:] if operations is None else operations
        body = {"operations": [wire.to_base64(data) for data in pending]}
        if profiles:
            body["profiles"] = list(profiles)
        answer = self.server.post("/v1/operations", body)
        if "halt" not in answer:
            self.acked = answer["acked_seq"]
            assert answer["acked_hash"] == wire.hash_of(self.log[self.acked - 1]).hex()
        return answer

    def done(self, *profiles):
        """Pushes what is pending; the outcomes."""
        return [result["outcome"] for result in self.push(profiles=profiles)["results"]]

    def quote(self, member, choice, cash=True):
        asked = {"member": member, "choice": choice, "cash": cash}
        answer = self.server.post("/v1/quotes", asked)
        assert answer["status"] == "quoted", answer
        quote = answer["quote"]
        coupons = [[grant["template"], grant["count"]] for grant in quote["coupons"]]
        return {**quote, "coupons": coupons}

    def opening(self, order, member, choice, quote):
        return {
            "order": order, "order_no": self.number("CZ"), "member": member,
            "package": [choice["package"], choice["version"]] if "package" in choice else None,
            "amount_fen": choice.get("amount_fen"), "quote": quote, "seller": None,
            "duplicate_confirmed": False, "cash_part_fen": None,
        }
