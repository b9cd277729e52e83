"""schemathesis against a real server and the committed OpenAPI document: no answer may be a defect
of the server (5xx), and every answer must have the shape that the document promises.

    python interface.py SERVER_PROGRAM EXAMPLES SEED

`EXAMPLES` is the number of requests made up for each address. Prints a line `ok …` when all held.
"""

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
    for path, row_id in known.items():
        lines += ["[[operations]]", f'include-path = "{path}"',
                  f'parameters = {{ id = "{row_id}" }}']
    path = pathlib.Path(folder) / "schemathesis.toml"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def main(program, examples, seed):
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder) / "data")
        server, address = serve(program, data)
        try:
            code = ran(program, "enrol", "--data", data, "--address", address).splitlines()[0]
            till = day.start(code)
            day.open_shift(till)
            member = day.register(till)
            day.top_up(till, member)
            order, attempt = day.ask_for_money(till, member, "qr")
            known = {"/v1/orders/{id}": order, "/v1/attempts/{id}": attempt,
                     "/v1/attempts/{id}/query": attempt}
            # First what is there, then whatever may be made up.
            for config in (settings(folder, known), settings(folder, {})):
                asked = subprocess.run([
                    sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run",
                    str(ROOT / "docs/openapi.json"), "--url", address,
                    "--header", f"Authorization: Bearer {till.me['token']}",
                    "--header", "Qiantai-Protocol: 1",
                    # A stream of events has no end.
                    "--exclude-path", "/v1/events",
                    "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
                    "--max-examples", examples, "--seed", seed,
                    "--continue-on-failure", "--no-color",
                    "--suppress-health-check", "all", "--warnings", "off",
                ], cwd=folder)
                if asked.returncode != 0:
                    sys.exit("the interface does not keep its document")
                print("ok every answer has the shape of the document", flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
