#!/usr/bin/env python3
"""Starts /var/task/bootstrap of a root folder as Lambda does, and waits until it asks for an event or says why not.

    Scripts/check_lambda_zip_start.py ROOT

It speaks as much of Lambda's Runtime API as that takes, on a free port of this machine alone, and tells how long the start
took. The function is `confirm`; where it looks for AWS, nobody answers.
"""

import http.server
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time

START_MAX = 30
# Lambda looks there first.
SYSTEM_LIBRARIES = [f"/lib/{os.uname().machine}-linux-gnu", f"/usr/lib/{os.uname().machine}-linux-gnu", "/lib64", "/var/task/lib"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    asked = queue.Queue()

    class Runtime(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.put((self.path, b"", time.monotonic()))
            # Lambda does not answer either until there is an event.
            ended.wait()

        def do_POST(self):
            asked.put((self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))), time.monotonic()))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    ended = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Runtime)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}", "_HANDLER": "confirm", "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "check", "AWS_SECRET_ACCESS_KEY": "check",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "SLUICE_BACKEND": "aws", "SLUICE_AWS_BUCKET": "check",
        "PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": ":".join(SYSTEM_LIBRARIES),
    }
    began = time.monotonic()
    program = subprocess.Popen(
        ["/var/task/bootstrap"], env=environment, preexec_fn=lambda: (os.chroot(root), os.chdir("/var/task")),
    )
    try:
        path, body, at = wait(program, asked)
    finally:
        program.kill()
        program.wait()
        ended.set()
    print(f"it starts, and after {(at - began) * 1000:.0f} ms asks for {path}")
    if path.endswith("/init/error"):
        print(body.decode(errors="replace"))


def wait(program, asked):
    for _ in range(START_MAX * 10):
        try:
            return asked.get(timeout=0.1)
        except queue.Empty:
            if program.poll() is not None and asked.empty():
                sys.exit(f"check_lambda_zip: it ended with {program.returncode} and asked for nothing")
    sys.exit(f"check_lambda_zip: it asked for nothing in {START_MAX} seconds")


main()
