"""Deploys the template to the emulator and runs a job by it; see Scripts/local_aws.py."""

import contextlib
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time

import check_deploy_stack as stack

SCRIPTS = pathlib.Path(__file__).resolve().parent
ACCOUNT, PREFIX, CLUSTER = "100000000003", "sluice-", "local"
KEY = "the-key-of-the-local-stack"
JOB = "2026-03-04-05-06-07-89abcdef"
INDEX, DESTINATION = "products-semi-structured", "copy"
# In seconds; confirmations are asked for once a minute.
PATIENCE = 300


class Stack(contextlib.ExitStack):
    """Processes that end with this one."""

    def begin(self, arguments, environment, name, folder):
        log = open(folder / f"{name}.log", "wb")
        process = subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.callback(self.end, process)
        url = process.stdout.readline().decode().strip()
        if not url:
            sys.exit(f"{name} did not start: {(folder / f'{name}.log').read_text()}")
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


def bootstrap(program, variables):
    """A function's program: the one of this machine, told where everything is."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join(["#!/bin/sh", *lines, f"exec {shlex.quote(program)}", ""])


def aws(environment, *arguments):
    tool = SCRIPTS.parent / ".build" / "emulator" / "bin" / "aws"
    return subprocess.run([tool, *arguments], env=environment, capture_output=True, text=True, check=True).stdout


def key():
    return json.dumps({"pk": {"S": "demo"}, "sk": {"S": f"{INDEX}#{JOB}"}})


def record(environment):
    found = aws(environment, "dynamodb", "get-item", "--table-name", f"{PREFIX}reindexing", "--key", key(), "--consistent-read")
    return {name: next(iter(value.values())) for name, value in json.loads(found)["Item"].items()}


def status(environment, value):
    aws(
        environment, "dynamodb", "update-item", "--table-name", f"{PREFIX}reindexing", "--key", key(),
        "--update-expression", "SET job_status = :s", "--expression-attribute-values", json.dumps({":s": {"S": value}}),
    )


def wait(environment, what, holds, folder):
    begun, told = time.monotonic(), 0.0
    while True:
        found = record(environment)
        if holds(found):
            return found
        passed = time.monotonic() - begun
        if passed > PATIENCE or found["job_status"] == "failed":
            for log in sorted(folder.glob("*.log")):
                print(f"== {log.stem}\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
            sys.exit(f"local-aws: not {what} after {passed:.0f} s: {json.dumps(found, indent=1)}")
        if passed - told >= 10:
            told = passed
            counters = ", ".join(f"{found.get(f'{name}_doc_count', 0)} {name}" for name in ("extracted", "replayed", "completed"))
            print(f"local-aws: {found['job_status']}, {counters}", file=sys.stderr)
        time.sleep(0.5)


def main(sluice, function, documents):
    with Stack() as processes, tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plain = {one: os.environ[one] for one in ("PATH", "HOME") if one in os.environ}
        emulator = processes.begin([SCRIPTS / "emulator.py"], plain, "emulator", folder)
        where = plain | {
            "AWS_ENDPOINT_URL": emulator, "AWS_REGION": stack.REGION, "AWS_DEFAULT_REGION": stack.REGION,
            "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true",
        }
        vespa = processes.begin([sluice, "stand-in", "vespa", "--documents", str(documents * 3)], plain, "vespa", folder)
        ecommerce = processes.begin(
            [sluice, "stand-in", "ecommerce"], plain | {"SLUICE_ECOMMERCE_API_KEY": KEY}, "ecommerce", folder
        )
        kubernetes = processes.begin(
            [sluice, "stand-in", "kubernetes", "--program", sluice], where, "kubernetes", folder
        )
        secret = stack.client("secretsmanager", emulator, ACCOUNT).create_secret(Name="ecommerce", SecretString=KEY)["ARN"]
        parameters = {
            "Prefix": PREFIX, "VespaUrl": f"vespa+{vespa}", "EcommerceUrl": f"ecommerce+{ecommerce}/api/v1",
            "EcommerceApiKeySecretArn": secret, "EksClusterName": CLUSTER, "ExtractionImage": "sluice:local",
            "ManageClusterAccess": "false", "Architecture": "x86_64", "LogLevel": "info",
        }
        told = {one: where[one] for one in where if one.startswith("AWS_")}
        script = bootstrap(function, told | {"SLUICE_KUBERNETES_URL": kubernetes})
        bucket = stack.deploy(emulator, ACCOUNT, parameters, script)
        environment = where | {
            "SLUICE_BACKEND": "aws", "SLUICE_AWS_BUCKET": bucket, "SLUICE_AWS_PREFIX": PREFIX,
            "SLUICE_VESPA_URL": parameters["VespaUrl"], "SLUICE_ECOMMERCE_URL": parameters["EcommerceUrl"],
            "SLUICE_ECOMMERCE_API_KEY": KEY,
        }

        def run(*arguments):
            done = subprocess.run([sluice, *arguments], env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"sluice {' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")
            return done.stdout

        run("index", "set", INDEX, "--account", "demo", "--type", "semi-structured", "--shop-id", "shop-1")
        begun = time.monotonic()
        item = {
            "pk": {"S": "demo"}, "sk": {"S": f"{INDEX}#{JOB}"}, "reindex_id": {"S": JOB}, "reindex_type": {"S": "post"},
            "job_status": {"S": "pending"}, "concurrency": {"N": "4"}, "destination_index_name": {"S": DESTINATION},
        }
        aws(environment, "dynamodb", "put-item", "--table-name", f"{PREFIX}reindexing", "--item", json.dumps(item))
        wait(environment, "under way", lambda found: int(found.get("extracted_doc_count", 0)) > 0, folder)
        status(environment, "paused")
        print(f"local-aws: paused after {time.monotonic() - begun:.1f} s", file=sys.stderr)
        paused = record(environment)
        status(environment, "pending")
        ended = wait(
            environment, "at its end", lambda found: found["job_status"] in ("completed", "completed_with_failures"), folder
        )
        took = time.monotonic() - begun
        counters = {
            counter: int(ended[f"{counter}_doc_count"])
            for counter in ("extracted", "skipped", "in_flight", "awaiting", "dead_lettered", "completed", "replayed")
        }
        expected = counters | {
            "extracted": documents, "completed": documents, "replayed": documents, "skipped": 0, "in_flight": 0, "awaiting": 0,
            "dead_lettered": 0,
        }
        if ended["job_status"] != "completed" or counters != expected:
            sys.exit(f"local-aws: the books say {ended['job_status']}, {counters}; expected {expected}")
        if int(ended["launch_number"]) != 2 or int(paused["launch_number"]) != 1:
            sys.exit(f"local-aws: launched {ended['launch_number']} times, expected 2")
        verified = json.loads(run("job", "verify", JOB, "--format", "json"))
        run("doctor")
        print(json.dumps({"seconds": round(took, 1), "launches": int(ended["launch_number"]), **counters}))
        print(json.dumps(verified))
        print(f"local-aws: {documents} documents by event wiring alone, paused and resumed once, all there")


if __name__ == "__main__":
    main(sys.argv[1], os.path.abspath(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 10_000)
