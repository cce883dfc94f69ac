#!/usr/bin/env python3
"""Runs a function's program under Lambda's runtime interface emulator, the one that comes with the SAM CLI.

    Scripts/lambda_emulator.py PROGRAM FUNCTION [SECONDS=60]   print the URL of its invocations, serve until standard input ends

The program starts with the first invocation, has that many seconds for each, and has the variables of this process. What it
logs goes to standard error. One invocation is served at a time, each the answer to one POST of its event.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import check_deploy
import environments

EMULATOR = check_deploy.PLACE / "lib"
PATH = "/2015-03-31/functions/function/invocations"


def emulator():
    found = sorted(EMULATOR.glob(f"python3.*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine()}"))
    if not found:
        sys.exit(f"lambda_emulator: the SAM CLI in {check_deploy.PLACE} has no emulator for this machine")
    # Installed as data, not as a program.
    found[0].chmod(0o755)
    return found[0]


def machine():
    return {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]


def free_ports():
    """Two that were free a moment ago; it can't be told to choose by itself."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def begin(words, function, seconds, environment=None):
    """The emulator's process, and the URL of invocations; nothing of the function runs yet."""
    for _ in range(5):
        front, back = free_ports()
        process = subprocess.Popen(
            [
                emulator(), "--runtime-interface-emulator-address", f"127.0.0.1:{front}", "--runtime-api-address",
                f"127.0.0.1:{back}", *words, function,
            ],
            env=(os.environ if environment is None else environment) | {
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds), "AWS_LAMBDA_FUNCTION_NAME": function,
            },
            stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=environments.die_with_parent,
        )
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", front), timeout=1).close()
                return process, f"http://127.0.0.1:{front}{PATH}"
            except OSError:
                time.sleep(0.005)
    sys.exit(f"lambda_emulator: the emulator does not start; it ended with {process.returncode}")


def functions(process):
    """The processes of the function, one at most unless one is just being replaced."""
    try:
        children = pathlib.Path(f"/proc/{process.pid}/task").glob("*/children")
        return [int(child) for thread in children for child in thread.read_text().split()]
    except OSError:
        return []


def end(process):
    """The function first, as Lambda ends one; the emulator itself serves on when asked politely."""
    for function in functions(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(function, signal.SIGTERM)
    patience = time.monotonic() + 2
    while functions(process) and time.monotonic() < patience:
        time.sleep(0.01)
    process.kill()
    process.wait()


def main():
    match sys.argv[1:]:
        case [program, function, *rest] if len(rest) < 2 and all(one.isdigit() for one in rest):
            check_deploy.prepare()
            process, url = begin([os.path.abspath(program)], function, *rest or ["60"])
            print(url, flush=True)
            while os.read(0, 4096):
                pass
            end(process)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
