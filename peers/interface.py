"""schemathesis against a real server and the committed OpenAPI document: no answer may be a defect
of the server (5xx), and every answer must have the shape that the document promises.

    python interface.py SERVER_PROGRAM EXAMPLES SEED

`EXAMPLES` is the number of requests made up for each address. What a manager asks for is refused
without the terminal's signature, so it is asked once more with it. Prints a line `ok …` when all held.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs/protocol"))

import day  # noqa: E402
import terminal  # noqa: E402

CHECKS = ",".join([
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "missing_required_header",
    "unsupported_method", "ignored_auth",
])
# What a manager asks for, and of these what is done for anybody who is one.
SIGNED = ["/v1/gateways/{name}/check", "/v1/invitations", "/v1/orders/{id}/credit", "/v1/rules",
          "/v1/terminals/{device}/revoke"]
DONE = ["/v1/invitations", "/v1/orders/{id}/credit", "/v1/rules",
        "/v1/terminals/{device}/revoke"]
# What makes too many requests of a stranger or of a terminal is not asked here.
UNLIMITED = ["--device-requests-per-s", "1000000", "--stranger-requests-per-min", "1000000"]


def ran(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def serve(program, data):
    """A server with a sample shop, and its address."""
    ran(program, "init", "--data", data, "--sample", "gym", "--members", "20")
    server = subprocess.Popen(
        [program, "serve", "--data", data, "--listen", "127.0.0.1:0", *UNLIMITED],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in server.stdout:
        if line.startswith("listening on "):
            return server, line.removeprefix("listening on ").strip()
    sys.exit("the server did not start")


def settings(folder, known):
    """Made-up ids are of nothing; some requests ask for what is there."""
    lines = []
    for path, parameters in known.items():
        values = ", ".join(f'{name} = "{value}"' for name, value in parameters.items())
        lines += ["[[operations]]", f'include-path = "{path}"', f"parameters = {{ {values} }}"]
    path = pathlib.Path(folder) / "schemathesis.toml"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def ask(folder, config, address, till, only, examples, seed, **environment):
    asked = subprocess.run([
        sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run",
        str(ROOT / "docs/openapi.json"), "--url", address,
        "--header", f"Authorization: Bearer {till.me['token']}",
        "--header", "Qiantai-Protocol: 1", *only,
        "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
        "--max-examples", examples, "--seed", seed,
        "--continue-on-failure", "--no-color",
        "--suppress-health-check", "all", "--warnings", "off",
    ], cwd=folder, env={**os.environ, **environment})
    if asked.returncode != 0:
        sys.exit("the interface does not keep its document")
    print("ok every answer has the shape of the document", flush=True)


def ask_signed(folder, address, till, known, examples, seed):
    """The terminal signs what a manager asks for."""
    counts = pathlib.Path(folder) / "counts.json"
    caller = pathlib.Path(folder) / "caller.json"
    rules = till.policy()
    manager = next(row for row in rules["staff"] if row["role"] == "manager" and row["active"])
    caller.write_text(json.dumps({
        "key": till.key.private_bytes_raw().hex(), "device": till.me["device"],
        "manager": manager["id"], "policy_version": rules["version"], "counts": str(counts),
    }))
    only = [word for path in SIGNED for word in ("--include-path", path)]
    ask(folder, settings(folder, known), address, till, only, examples, seed,
        SCHEMATHESIS_HOOKS="signed_calls", PYTHONPATH=str(ROOT / "peers"),
        QIANTAI_CALLER=str(caller))
    counts = json.loads(counts.read_text())
    for path in SIGNED:
        told = ", ".join(f"{count} {what}" for what, count in counts.get(path, {}).items())
        print(f"signed calls of {path}: {told}", flush=True)
    for path in SIGNED:
        of_path = counts.get(path, {})
        if not of_path.get("2xx" if path in DONE else "refused") or "signature refused" in of_path:
            sys.exit(f"the signed calls of {path} do not reach what they ask for")
    print("ok what a manager asks for is reached by signed calls", flush=True)


def main(program, examples, seed):
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        server, address = serve(program, data)
        try:
            codes = [ran(program, "enrol", "--data", data, "--address", address).splitlines()[0]
                     for _ in range(2)]
            till = day.start(codes[0])
            day.open_shift(till)
            member = day.register(till)
            day.top_up(till, member)
            order, attempt = day.ask_for_money(till, member, "qr")
            known = {"/v1/orders/{id}": {"id": order}, "/v1/attempts/{id}": {"id": attempt},
                     "/v1/attempts/{id}/query": {"id": attempt}}
            # First what is there, then whatever may be made up. A stream of events has no end.
            for there in (known, {}):
                ask(folder, settings(folder, there), address, till,
                    ["--exclude-path", "/v1/events"], examples, seed)
            other = terminal.Terminal(codes[1], "第二台")
            known = {"/v1/orders/{id}/credit": {"id": order},
                     "/v1/terminals/{device}/revoke": {"device": other.me["device"]},
                     "/v1/gateways/{name}/check": {"name": "wechat"}}
            ask_signed(folder, address, till, known, examples, seed)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
