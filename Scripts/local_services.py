"""Everything that a deployment on this machine talks to: the emulator of AWS, and stand-ins for Vespa, Ecommerce and Kubernetes."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys

import check_deploy_stack as stack
import environments

SCRIPTS = pathlib.Path(__file__).resolve().parent
ACCOUNT, CLUSTER = "100000000003", "local"
KEY = "the-key-of-the-local-stack"
INDEX = "products-semi-structured"


class LocalServices(contextlib.ExitStack):
    """Processes that end with this one; each one's log is a file of the folder."""

    def __init__(self, sluice, folder, documents):
        super().__init__()
        self.folder = folder
        self.plain = {one: os.environ[one] for one in ("PATH", "HOME") if one in os.environ}
        try:
            self.emulator = self.begin([SCRIPTS / "emulator.py"], self.plain, "emulator")
            self.where = self.plain | {
                "AWS_ENDPOINT_URL": self.emulator, "AWS_REGION": stack.REGION, "AWS_DEFAULT_REGION": stack.REGION,
                "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true",
            }
            # It spreads its documents over three indexes.
            vespa = [sluice, "stand-in", "vespa", "--documents", str(documents * 3)]
            self.vespa = "vespa+" + self.begin(vespa, self.plain, "vespa")
            ecommerce = self.begin([sluice, "stand-in", "ecommerce"], self.plain | {"SLUICE_ECOMMERCE_API_KEY": KEY}, "ecommerce")
            self.ecommerce = f"ecommerce+{ecommerce}/api/v1"
            self.kubernetes = self.begin([sluice, "stand-in", "kubernetes", "--program", sluice], self.where, "kubernetes")
        except BaseException:
            self.close()
            raise

    def begin(self, arguments, environment, name):
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(
                arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                preexec_fn=environments.die_with_parent,
            )
        self.callback(self.end, process)
        url = process.stdout.readline().decode().strip()
        if not url:
            sys.exit(f"{name} did not start: {(self.folder / f'{name}.log').read_text()}")
        return url

    @staticmethod
    def end(process):
        process.stdin.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def environment(self, bucket, prefix):
        """For programs that work on all of it."""
        return self.where | {
            "SLUICE_BACKEND": "aws", "SLUICE_AWS_BUCKET": bucket, "SLUICE_AWS_PREFIX": prefix, "SLUICE_VESPA_URL": self.vespa,
            "SLUICE_ECOMMERCE_URL": self.ecommerce, "SLUICE_ECOMMERCE_API_KEY": KEY,
        }


def run(sluice, environment, *arguments):
    done = subprocess.run([sluice, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"sluice {' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def set_index(sluice, environment):
    run(sluice, environment, "index", "set", INDEX, "--account", "demo", "--type", "semi-structured", "--shop-id", "shop-1")
