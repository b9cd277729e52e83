"""What every Python peer needs: the accounts, the customer's phone, a place for notices."""

import json
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

BASE_URL, FOLDER = sys.argv[1], sys.argv[2]
SERIAL = iter(range(1, 10_000))


def account(name):
    """The settings of a practice account."""
    with open(os.path.join(FOLDER, f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)


def number(prefix):
    """A number that was never used."""
    return f"{prefix}{time.time_ns()}{next(SERIAL)}"


def phone(method, path, body):
    """What the customer does; the phone page's own calls."""
    request = urllib.request.Request(
        BASE_URL + path,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def pay(payload):
    """Scans a code and pays it."""
    token = phone("POST", "/phone/open", {"payload": payload})["token"]
    phone("POST", f"/phone/pay/{token}", {"action": "pay"})


def show_code(wallet, asks_password=False, declines=None):
    """Shows a payment code."""
    wish = {"wallet": wallet, "asks_password": asks_password, "declines": declines}
    return phone("POST", "/phone/codes", wish)


def ok(step, condition=True, seen=""):
    """One line for each thing that was shown."""
    if not condition:
        print(f"FAILED {step}: {seen}")
        sys.exit(1)
    print(f"ok {step}")


class Notices:
    """A server that keeps what the gateway posts."""

    def __init__(self, answer):
        kept = self.kept = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["content-length"])
                kept.put((dict(self.headers.items()), self.rfile.read(length)))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/notices"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, naming=""):
        """The next one that names this; others are passed over."""
        while True:
            headers, raw = self.kept.get(timeout=20)
            if naming in raw.decode():
                return headers, raw
