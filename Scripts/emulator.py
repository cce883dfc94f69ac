#!/usr/bin/env python3
"""Runs the AWS emulator of the tests, in a virtual environment of its own that it makes if it is missing or outdated.

    Scripts/emulator.py                print the emulator's URL, serve until standard input ends
    Scripts/emulator.py --strict       the same, and check the signature and the permission of every request
    Scripts/emulator.py --faults URL   the same for a proxy to that URL whose faults are set at URL/_microburst
    Scripts/emulator.py --stranger     the same for a server over TLS whose certificate nobody has a reason to trust
    Scripts/emulator.py --prepare      only see to the environment
    Scripts/emulator.py --tool NAME …  run a program of the environment, such as kubernetes-validate or aws

It listens on a free port of this machine alone. It ends with its standard input, so that it can't outlive who started it.
An access key of twelve digits is an account of its own: tests that each make one up don't see each other. --strict knows
of root keys, `test` and `test`, which it does not check, and of those that are made with them.
An account's clock is this machine's until POST /_clock/ACCOUNT/MILLISECONDS stops it at that moment, and again at later ones.
"""

import os
import socket
import subprocess
import sys
import threading
import time

import environments

PLACE = environments.place("emulator")
PYTHON = PLACE / "bin" / "python"


def prepare():
    environments.prepare("emulator")


def end_with_input():
    while os.read(0, 4096):
        pass
    os._exit(0)


def with_clocks():
    from ministack.core import responses

    stopped = {}
    machine = time.time
    # Before any module is loaded that might keep the function; all of them ask for the time by this name.
    time.time = lambda: stopped.get(responses.get_account_id()) or machine()
    from ministack.app import app

    async def timed(scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith("/_clock/"):
            await app(scope, receive, send)
            return
        account, milliseconds = scope["path"].split("/")[2:]
        stopped[account] = int(milliseconds) / 1000
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return timed


def listen():
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def serve(strict):
    listener, url = listen()
    if strict:
        os.environ["AUTH"] = "true"
    os.environ.update(BIND_HOST="127.0.0.1", GATEWAY_PORT=url.rpartition(":")[2], LOG_LEVEL="ERROR")
    # What presigned URLs are checked with; the tests sign with it.
    os.environ["AWS_SECRET_ACCESS_KEY"] = "emulated"
    os.environ.pop("AWS_SESSION_TOKEN", None)

    import asyncio
    from hypercorn.asyncio import serve as run
    from hypercorn.config import Config
    app = with_clocks()

    threading.Thread(target=end_with_input, daemon=True).start()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR"
    # Who connects from here on is served as soon as the loop runs.
    print(url, flush=True)
    asyncio.run(run(app, config))


def serve_faults(upstream):
    from aiohttp import web
    from microburst.app import make_app
    from microburst.core.pipeline import Microburst

    listener, url = listen()
    threading.Thread(target=end_with_input, daemon=True).start()
    print(url, flush=True)
    web.run_app(make_app(Microburst(upstream)), sock=listener, print=None, access_log=None)


def serve_stranger():
    import ssl
    import tempfile
    from aiohttp import web

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-keyout", "key", "-out", "certificate", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
            cwd=folder, stderr=subprocess.DEVNULL, check=True,
        )
        context.load_cert_chain(f"{folder}/certificate", f"{folder}/key")
    listener, url = listen()
    threading.Thread(target=end_with_input, daemon=True).start()
    print(url.replace("http:", "https:"), flush=True)
    web.run_app(web.Application(), sock=listener, ssl_context=context, print=None, access_log=None)


def main():
    match sys.argv[1:]:
        case ["--prepare"]:
            prepare()
        case ["--tool", name, *rest]:
            prepare()
            os.execv(PLACE / "bin" / name, [name, *rest])
        case [] | ["--strict"] | ["--stranger"] | ["--faults", _]:
            prepare()
            os.execv(PYTHON, [PYTHON, __file__, "--serve", *sys.argv[1:]])
        case ["--serve", "--stranger"]:
            serve_stranger()
        case ["--serve", "--faults", upstream]:
            serve_faults(upstream)
        case ["--serve", *rest]:
            serve(strict=rest == ["--strict"])
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
