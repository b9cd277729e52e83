"""A day of a terminal that knows nothing but the document, with a real server.

    python3 day.py CODE              CODE is what `qiantai-server enrol` prints
    python3 day.py CODE together     whoever started this plays the others; the server has a
                                     training gateway. After each of these lines one line of answer
                                     is read:
                                     `customer scans TEXT`: pay what the QR code says
                                     `customer shows`: the digits of a payment code
                                     `server is backed up`, `server is restored`: from that backup

It says a line for each thing that it has seen for itself, and ends with status 1 at the first that
is not as the document says.
"""

import json
import os
import secrets
import sys
import time

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import price
import wire
from terminal import Refused, Server, Terminal, new_id, now_ms

PATIENCE_S = 300
APPLIED = {"status": "applied"}
shown = 0


def show(what, is_so, evidence=None):
    global shown
    if not is_so:
        sys.exit(f"NOT AS THE DOCUMENT SAYS: {what}: {str(evidence)[:2_000]}")
    shown += 1
    print("ok", what, flush=True)


def ask(*words):
    """What the others answer."""
    print(*words, flush=True)
    return sys.stdin.readline().strip()


def refused(call):
    """The error of a call that must fail."""
    try:
        return f"answered {call()}", None
    except Refused as refusal:
        return refusal.status, refusal.code


def start(code):
    """Enrolled, with a replica."""
    terminal = Terminal(code, "另一种终端")
    show("joined, and joined again as the same device", True)
    unknown = refused(lambda: stranger(terminal).get("/v1/snapshot"))
    show("a stranger is told so", unknown == (401, 1002), unknown)
    terminal.rows, terminal.cursor = terminal.take_snapshot()
    terminal.pull()
    own = terminal.rows["device"][terminal.me["device"]]
    show("the snapshot knows this terminal",
         own["public_key"] == wire.public_of(terminal.key).hex(), own)
    with terminal.server.open("GET", "/v1/events") as events:
        name, data = (events.readline().decode().strip() for _ in range(2))
        head = json.loads(data.removeprefix("data: "))["cursor"]
    show("live events begin with where the log stands",
         (name, head) == ("event: hello", terminal.cursor), (name, data))
    return terminal


def stranger(terminal):
    other = object.__new__(Server)
    other.base, other.trust, other.token = terminal.server.base, terminal.server.trust, None
    return other


def open_shift(terminal):
    policy = terminal.policy()
    cashier = next(row for row in policy["staff"] if row["active"] and row["role"] == "cashier")
    terminal.staff = {"staff": cashier["id"], "method": "pin", "policy_version": policy["version"]}
    shift = new_id()
    counted = [[10_000, 3], [50, 40]]
    terminal.write("shift.open",
                   {"shift": shift, "shift_no": terminal.number("JB"), "float": counted})
    outcomes = terminal.done()
    terminal.pull()
    show("a shift is open", outcomes == [APPLIED]
         and terminal.rows["shift"][shift]["opening_float_fen"] == 32_000, outcomes)
    terminal.shift = shift


def register(terminal):
    """A new member, whose name is in no signed byte."""
    member, secret = new_id(), secrets.token_bytes(32)
    place = terminal.policy()["store"]["code"] + terminal.me["terminal_code"]
    plain = {"id": member, "name": "尉迟敏", "phone": "13800005678"}
    sealed = wire.seal_profile(plain, member, secret, os.urandom(24))
    terminal.write("member.create", {"member": member, "member_no": f"{place}00001"}, op_id=member,
                   attachment=wire.hash_of(sealed).hex())
    beside = {"member": member, "sealed": wire.to_base64(sealed), "key": secret.hex()}
    outcomes = terminal.done(beside)
    terminal.pull()
    show("a member is registered, the name sealed beside", outcomes == [APPLIED]
         and terminal.rows["member"][member]["profile"]["name"] == "尉迟敏", outcomes)
    return member


def choice_of(policy):
    package = next((row for row in policy["packages"] if row["on_sale"] is None), None)
    if package:
        return {"kind": "package", "package": package["id"], "version": package["version"]}
    return {"kind": "amount", "amount_fen": policy["fixed_amounts_fen"][0]}


def work_offline(terminal):
    """Prices as the server's; cash while it is out of reach, pushed when it is back."""
    policy = terminal.policy()
    packages = [{"kind": "package", "package": row["id"], "version": row["version"]}
                for row in policy["packages"]]
    amounts = [{"kind": "amount", "amount_fen": fen}
               for fen in [*policy["fixed_amounts_fen"], 1, 99, 12_345, 50_000, 123_456, 500_000]]
    accounts = list(terminal.rows["account"].values())
    compared = 0
    for account in accounts[:8]:
        for choice in packages + amounts:
            asked = {"member": account["member"], "choice": choice, "cash": True}
            answer = terminal.server.post("/v1/quotes", asked)
            try:
                own = price.price(policy, account, choice, now_ms())
            except price.NotOnSale:
                show("what is not on sale has no quote", answer["status"] == "refused", answer)
                continue
            told = answer.get("quote") or answer
            coupons = [[grant["template"], grant["count"]] for grant in told.get("coupons", ())]
            told = {**told, "coupons": coupons}
            if {name: told.get(name) for name in own} != own:
                show(f"the price of {choice}", False, (own, answer))
            compared += 1
    show(f"{compared} prices are the server's", compared >= 40, compared)
    orders = []
    for account in accounts[:3]:
        choice, order = choice_of(policy), new_id()
        quote = {**price.price(policy, account, choice, now_ms()), "quoted_at_ms": now_ms()}
        cash = {"open": terminal.opening(order, account["member"], choice, quote),
                "tendered_fen": quote["pay_fen"], "change_fen": 0, "approval": None}
        terminal.write("recharge.cash", cash, op_id=order, offline=True)
        orders.append(order)
    outcomes = terminal.done()
    terminal.pull()
    states = [terminal.rows["order"][order]["state"] for order in orders]
    cases = [case for case in terminal.rows.get("case", {}).values() if case["order"] in orders]
    show("cash taken offline is credited as promised",
         (outcomes, states, cases) == ([APPLIED] * 3, ["credited"] * 3, []), (outcomes, cases))


def top_up(terminal, member):
    """Cash: written, pushed, read confirmed, pushed again."""
    choice = choice_of(terminal.policy())
    quote = terminal.quote(member, choice)
    order, pay = new_id(), quote["pay_fen"]
    before = terminal.rows["account"][member]
    cash = {"open": terminal.opening(order, member, choice, quote), "tendered_fen": pay + 10_000,
            "change_fen": 10_000, "approval": None}
    data = terminal.write("recharge.cash", cash, op_id=order)
    answer = terminal.push()
    result = answer["results"][0]
    show("cash is taken", result["outcome"] == APPLIED, result)
    entry = terminal.pull()[-1]
    account, row = terminal.rows["account"][member], terminal.rows["order"][order]
    show("the feed confirms it",
         (entry["op_id"], entry["server_seq"]) == (order, result["server_seq"]), entry)
    show("the order is credited",
         (row["state"], row["paid"]["amount_fen"]) == ("credited", pay), row)
    show("the balance rose by what was paid and promised",
         account["principal_fen"] == before["principal_fen"] + pay
         and account["bonus_fen"] == before["bonus_fen"] + quote["bonus_fen"], account)
    no_case = [case for case in terminal.rows.get("case", {}).values() if case["order"] == order]
    show("nobody must look at it", no_case == [], no_case)
    again = terminal.push([data])
    show("the same bytes again get the same answer", again["results"] == answer["results"]
         and again["cursor"] == answer["cursor"], again)
    terminal.write("recharge.cash", cash, action=order)
    outcomes = terminal.done()
    show("the same intent in another operation exists",
         outcomes == [{"status": "exists"}], outcomes)
    other = {**cash, "tendered_fen": pay + 20_000, "change_fen": 10_000}
    terminal.write("recharge.cash", other, action=order)
    outcomes = terminal.done()
    show("the same intent with more money is told apart",
         outcomes == [{"status": "exists_with_different", "field": "amount"}], outcomes)
    terminal.pull()
    show("it was credited once", terminal.rows["account"][member] == account)
    code = wire.receipt_text(data)
    wire.read(wire.of_receipt(code), wire.public_of(terminal.key))
    show("the receipt's code proves it", len(data) <= 400, len(data))


def open_drawer(terminal):
    """A note is changed; a manager lets the drawer open, and nothing is posted."""
    policy = terminal.policy()
    manager = next(row for row in policy["staff"] if row["role"] == "manager" and row["active"])
    approval = {"staff": manager["id"], "method": "pin", "policy_version": policy["version"]}
    terminal.write("drawer.open", {"reason": "other", "words": "oil", "approval": approval})
    outcomes = terminal.done()
    before = len(terminal.rows.get("case", {}))
    terminal.pull()
    show("a manager lets the drawer open", outcomes == [APPLIED]
         and len(terminal.rows.get("case", {})) == before, outcomes)


def forge(terminal, member):
    """What is not of this device changes nothing."""
    choice = choice_of(terminal.policy())
    order = new_id()
    quote = terminal.quote(member, choice)
    cash = {"open": terminal.opening(order, member, choice, quote),
            "tendered_fen": quote["pay_fen"], "change_fen": 0, "approval": None}
    payload = wire.payload_of("recharge.cash", terminal.means(cash, op_id=order))
    good = wire.seal(payload, terminal.key)
    flipped = good[:100] + bytes([good[100] ^ 1]) + good[101:]
    by_another = wire.seal(payload, Ed25519PrivateKey.generate())
    for what, data in (("changed", flipped), ("signed by another", by_another), ("cut", good[:-1])):
        answer = refused(lambda data=data: terminal.push([data]))
        show(f"an operation that was {what} is refused", answer == (400, 1011), answer)
    show("none of it is in the log", terminal.pull() == [])
    try:
        stranger(terminal).post("/v1/operations", {"operations": [wire.to_base64(good)]})
        show("without a token nothing is taken", False)
    except Refused as refusal:
        show("without a token nothing is taken", refusal.status == 401, refusal)


def refuse(terminal, member):
    """Requests may be refused, what is not understood is held, and what follows goes on."""
    choice = choice_of(terminal.policy())
    quote = terminal.quote(member, choice, cash=False)
    order = new_id()
    dear = {**quote, "bonus_fen": quote["bonus_fen"] + 100}
    terminal.write("recharge.open", terminal.opening(order, member, choice, dear), op_id=order)
    outcome = terminal.done()[0]
    show("a promise that the rules do not make is refused",
         (outcome["status"], outcome.get("reason")) == ("refused", "quote_changed")
         and outcome["quote"]["bonus_fen"] == quote["bonus_fen"], outcome)
    terminal.write("receipt.reprint", {"order": order, "copy": 1})
    fields = cbor2.loads(wire.unseal(terminal.log.pop(), wire.public_of(terminal.key)))
    fields[0] = 23
    terminal.log.append(wire.seal(wire.cbor(fields), terminal.key))
    order = new_id()
    cash = {"open": terminal.opening(order, member, choice, terminal.quote(member, choice)),
            "tendered_fen": quote["pay_fen"], "change_fen": 0, "approval": None}
    cash["open"]["duplicate_confirmed"] = True
    terminal.write("recharge.cash", cash, op_id=order)
    outcomes = terminal.done()
    show("a kind of the future is held, and cash behind it is taken",
         outcomes == [{"status": "held"}, APPLIED], outcomes)
    told = [entry["outcome"] for entry in terminal.pull()]
    show("all three are in the feed", told == [outcome, *outcomes], told)


def compare(terminal):
    rows, cursor = terminal.take_snapshot()
    show("the replica's digest is that of a fresh snapshot", cursor == terminal.cursor
         and terminal.digest(rows) == terminal.digest(terminal.rows), (cursor, terminal.cursor))
    answer = terminal.push([])
    own = wire.hash_of(terminal.log[-1]).hex()
    show("the server's digest of what this terminal wrote is its own",
         (answer["acked_seq"], answer["acked_hash"]) == (len(terminal.log), own), answer)
    here = terminal.cursor["timeline"]
    beyond = terminal.server.get(f"/v1/feed?timeline={here}&after={2**63}")
    show("nothing follows the end of the log", beyond["entries"] == [], beyond)
    other = here + 1
    gone = refused(lambda: terminal.server.get(f"/v1/feed?timeline={other}&after=0"))
    show("a cursor of another timeline is told so", gone == (409, 1009), gone)


def await_row(terminal, table, row_id, is_so):
    """The row once it is so: live events say when to look."""
    end = time.monotonic() + PATIENCE_S
    with terminal.server.open("GET", "/v1/events") as events:
        while time.monotonic() < end:
            line = events.readline().decode()
            if line.startswith("event:"):
                terminal.pull()
            row = terminal.rows.get(table, {}).get(row_id)
            if row and is_so(row):
                return row
    sys.exit(f"NOT AS THE DOCUMENT SAYS: {table} is still {row}")


def ask_for_money(terminal, member, method):
    """An order and an attempt in one push; the attempt's id and the order's."""
    choice, order, attempt = choice_of(terminal.policy()), new_id(), new_id()
    quote = terminal.quote(member, choice, cash=False)
    opening = terminal.opening(order, member, choice, quote)
    terminal.write("recharge.open", opening, op_id=order)
    asked = {"attempt": attempt, "attempt_no": terminal.number("ZF"), "order": order,
             "channel": "wechat", "method": method, "amount_fen": quote["pay_fen"]}
    terminal.write("attempt.start", asked)
    reasons = [outcome.get("reason") for outcome in terminal.done()]
    if reasons[0] == "duplicate_suspected":
        show("an order like the last one is questioned, and its attempt refused",
             reasons[1] == "order_unknown", reasons)
        order = new_id()
        opening = {**opening, "order": order, "order_no": terminal.number("CZ"),
                   "duplicate_confirmed": True}
        terminal.write("recharge.open", opening, op_id=order)
        terminal.write("attempt.start", {**asked, "order": order})
        reasons = [outcome.get("reason") for outcome in terminal.done()]
    show(f"money is asked for by {method}", reasons == [None, None], reasons)
    return order, attempt


def pay(terminal, member):
    """By our QR code and by the customer's code, each settled by the server's own word."""
    before = terminal.rows["account"][member]["principal_fen"]
    order, attempt = ask_for_money(terminal, member, "qr")
    row = await_row(terminal, "attempt", attempt, lambda row: row["qr_payload"])
    ask("customer scans", row["qr_payload"])
    settled(terminal, order, attempt)
    order, attempt = ask_for_money(terminal, member, "code")
    shown_code = {"code": ask("customer shows")}
    path = f"/v1/attempts/{attempt}/charge"
    terminal.server.post(path, shown_code)
    settled(terminal, order, attempt)
    again = terminal.server.post(path, shown_code)
    after = again["attempt"]
    show("the same code again is charged once",
         (after["id"], after["state"], after["surplus"]) == (attempt, "succeeded", []), again)
    other = refused(lambda: terminal.server.post(path, {"code": "130000000000000000"}))
    show("another code for it is refused", other == (409, 1034), other)
    paid = 2 * terminal.rows["order"][order]["quote"]["pay_fen"]
    after = terminal.rows["account"][member]["principal_fen"]
    show("the balance rose by both", after == before + paid, (before, after))


def settled(terminal, order, attempt):
    row = await_row(terminal, "order", order, lambda row: row["state"] == "credited")
    settlement = wire.unbase64(terminal.server.get(f"/v1/orders/{order}")["settlement"])
    read = wire.read(settlement, bytes.fromhex(terminal.me["server_public_key"]))
    about, (what, said) = read[20][0], read[20][1]
    show("the server's signed settlement says what was paid",
         (read[0], about, what, said[1])
         == (68, wire.an_id(attempt), 2, row["paid"]["amount_fen"]), read)


def give_up(terminal, member):
    choice, order = choice_of(terminal.policy()), new_id()
    quote = terminal.quote(member, choice, cash=False)
    opening = {**terminal.opening(order, member, choice, quote), "duplicate_confirmed": True}
    terminal.write("recharge.open", opening, op_id=order)
    terminal.write("recharge.cancel", {"order": order})
    outcomes = terminal.done()
    terminal.pull()
    show("an order that nobody paid is cancelled", outcomes == [APPLIED, APPLIED]
         and terminal.rows["order"][order]["state"] == "cancelled", outcomes)


def fork(terminal, member):
    """A disk that was set back writes another history."""
    terminal.write("receipt.reprint", {"order": new_id(), "copy": 1})
    after = terminal.means({"order": member, "copy": 1})
    beyond = wire.seal(wire.payload_of("receipt.reprint", after), terminal.key)
    answer = terminal.push([beyond])
    show("a gap is told with the place",
         answer.get("halt") == {"reason": "gap", "expected_seq": len(terminal.log)}, answer)
    terminal.push()
    terminal.log.pop()
    terminal.write("receipt.reprint", {"order": member, "copy": 2})
    answer = terminal.push([terminal.log[-1]])
    show("another history is a fork",
         answer.get("halt") == {"reason": "fork", "device_seq": len(terminal.log)}, answer)
    quarantined = refused(lambda: terminal.server.get("/v1/snapshot"))
    show("the device is not believed any more", quarantined == (403, 1004), quarantined)


def survive_restore(terminal, member):
    """What was acknowledged since the backup is with the terminals only."""
    ask("server is backed up")
    choice, order = choice_of(terminal.policy()), new_id()
    quote = terminal.quote(member, choice)
    cash = {"open": {**terminal.opening(order, member, choice, quote), "duplicate_confirmed": True},
            "tendered_fen": quote["pay_fen"], "change_fen": 0, "approval": None}
    terminal.write("recharge.cash", cash, op_id=order)
    show("cash is taken after the backup", terminal.done() == [APPLIED])
    terminal.pull()
    before = terminal.rows["account"][member]
    ask("server is restored")
    gone = refused(terminal.pull)
    show("the timeline is another", gone == (409, 1009), gone)
    terminal.rows, terminal.cursor = terminal.take_snapshot()
    show("the restored books lack it", order not in terminal.rows["order"])
    answer = terminal.push(terminal.log)
    last = answer["results"][-1]["outcome"]
    show("everything is pushed again, and what was lacking is taken",
         (answer["acked_seq"], last) == (len(terminal.log), APPLIED), answer)
    terminal.pull()
    show("the balance is that of before", terminal.rows["account"][member] == before,
         (terminal.rows["account"][member], before))


def main(code, together=None):
    show(f"{wire.check_vectors()} vectors hold", True)
    terminal = start(code)
    open_shift(terminal)
    member = register(terminal)
    top_up(terminal, member)
    open_drawer(terminal)
    work_offline(terminal)
    forge(terminal, member)
    refuse(terminal, member)
    give_up(terminal, member)
    if together:
        pay(terminal, member)
        survive_restore(terminal, member)
    compare(terminal)
    fork(terminal, member)
    print(shown, "shown")


if __name__ == "__main__":
    main(*sys.argv[1:])
