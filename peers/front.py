"""What the Python gateways need: a server before the simulated gateway, our own program as its
client, and our own judgement of notices.

The book behind is the simulated one; what stands before it is the kit's. It checks the signature of
every request, asks the book under a signature of the kit's, checks the book's, and signs the answer
with a key that the simulated gateway never had.
"""

import base64
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from gateway import BASE_URL, FOLDER, ok

SERVER, JUDGE = sys.argv[4], sys.argv[5]


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def new_key():
    """A key pair: the private one, its PEM, and the PEM of the public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key, private.decode(), public_pem(key)


def public_pem(key):
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode()


class Front:
    """Answers with `answer(method, target, headers, body)`: status, headers, body."""

    def __init__(self, answer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, more, said = answer(self.command, self.path, lower(self.headers), body)
                self.send_response(status)
                for name, value in more.items():
                    if name not in ("content-length", "transfer-encoding", "date"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ask(self, method, target, headers, body):
        """Asks the book; its addresses lead back here."""
        request = urllib.request.Request(
            BASE_URL + target,
            data=body if method == "POST" else None,
            headers={**headers, "host": self.host},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, lower(answer.headers), answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, lower(refused.headers), refused.read()


class Client:
    """Our own program with the settings of one account."""

    def __init__(self, channel, name, settings):
        self.channel, self.name = channel, name
        self.path = os.path.join(FOLDER, f"{name}-peer.json")
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(settings, file)

    def call(self, *words, text=""):
        """One command; its answer."""
        ended = subprocess.run(
            [SERVER, "pay", self.channel, *words, "--config", self.path],
            input=text,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        try:
            return json.loads(ended.stdout)
        except ValueError:
            return {"result": "none", "said": ended.stdout + ended.stderr}

    def shows(self, step, expected, *words, text="", **more):
        """One command that must end so."""
        answer = self.call(*words, text=text)
        fits = answer.get("result") == expected
        fits = fits and all(answer.get(name) == value for name, value in more.items())
        ok(f"{self.name}: {step}", fits, answer)
        return answer

    def judge(self, headers, body):
        """What our own client says of a notice."""
        line = {
            "channel": self.channel,
            "settings": self.path,
            "headers": headers,
            "body": base64.b64encode(body).decode(),
        }
        ended = subprocess.run(
            [JUDGE], input=json.dumps(line), capture_output=True, text=True, timeout=60, check=True
        )
        return json.loads(ended.stdout)
