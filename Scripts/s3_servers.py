#!/usr/bin/env python3
"""Runs an S3 server that is not ours, for tests of our signatures; it checks every one.

    Scripts/s3_servers.py rclone    rclone serve s3, over its memory
    Scripts/s3_servers.py juicefs   the gateway of JuiceFS, which is MinIO's, over a file system in SQLite

It prints the server's URL, access key and secret, and serves on a free port of this machine alone, over a folder that goes
with it. It ends with its standard input, and the server with it, even if it is killed.
"""

import ctypes
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import emulator

BIN = emulator.PLACE / "bin"
# Between the choice of a free port and its use somebody else may take it.
STARTS_MAX = 5
STARTED_WITHIN_SECONDS = 60


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start(arguments, folder, **variables):
    """The server's own files stay in the folder."""
    return subprocess.Popen(
        arguments, cwd=folder, env={"PATH": os.environ["PATH"], "HOME": folder, **variables},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=die_with_parent,
    )


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=1)
    except urllib.error.HTTPError:
        pass
    except OSError:
        return False
    return True


def rclone(folder, key, secret):
    server = start(
        [BIN / "rclone", "serve", "s3", "--addr", "127.0.0.1:0", "--config", "", ":memory:"],
        folder, RCLONE_AUTH_KEY=f'"{key},{secret}"',
    )
    for line in server.stderr:
        if found := re.search(r"Starting s3 server on \[(http://127\.0\.0\.1:\d+)/\]", line):
            return server, found[1]
    sys.exit("s3_servers: rclone did not start")


def juicefs(folder, key, secret):
    meta = f"sqlite3://{folder}/meta.db"
    subprocess.run(
        [BIN / "juicefs", "format", "--storage", "file", "--bucket", f"{folder}/data/", meta, "sluice"],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=True,
    )
    for _ in range(STARTS_MAX):
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        server = start(
            [BIN / "juicefs", "gateway", "--multi-buckets", "--keep-etag", "--object-meta", "--no-banner",
             "--no-usage-report", "--no-agent", "--backup-meta", "0", "--metrics", "127.0.0.1:0",
             "--cache-dir", f"{folder}/cache", "--log", f"{folder}/gateway.log", meta, address],
            folder, MINIO_ROOT_USER=key, MINIO_ROOT_PASSWORD=secret,
        )
        deadline = time.monotonic() + STARTED_WITHIN_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            if answers(f"http://{address}/minio/health/ready"):
                return server, f"http://{address}"
            time.sleep(0.05)
        server.kill()
        server.wait()
    sys.exit("s3_servers: the gateway of JuiceFS did not start")


def main():
    if sys.argv[1:] not in (["rclone"], ["juicefs"]):
        sys.exit(__doc__)
    emulator.prepare()
    key, secret = "AK" + secrets.token_hex(8).upper(), secrets.token_hex(20)
    with tempfile.TemporaryDirectory(prefix="sluice-s3-", ignore_cleanup_errors=True) as folder:
        server, url = {"rclone": rclone, "juicefs": juicefs}[sys.argv[1]](folder, key, secret)
        # Nobody reads what it says later, and a full pipe would hold it up.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        print(url, key, secret, flush=True)
        while os.read(0, 4096):
            pass
        server.kill()
        server.wait()


main()
