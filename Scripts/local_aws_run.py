"""Deploys the template to the emulator and runs a job by it; see Scripts/local_aws.py."""

import collections
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

import check_deploy_stack as stack
import local_services as services

PREFIX = "sluice-"
JOB = "2026-03-04-05-06-07-89abcdef"
DESTINATION = "copy"
# In seconds; confirmations are asked for once a minute.
PATIENCE = 300


def bootstrap(program, variables, log):
    """A function's program: the one of this machine, told where everything is."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join(["#!/bin/sh", *lines, f"exec {shlex.quote(program)} 2>>{shlex.quote(str(log))}", ""])


def aws(environment, *arguments):
    tool = services.SCRIPTS.parent / ".build" / "emulator" / "bin" / "aws"
    return subprocess.run([tool, *arguments], env=environment, capture_output=True, text=True, check=True).stdout


KEY = {"pk": {"S": "demo"}, "sk": {"S": f"{services.INDEX}#{JOB}"}}


def record(tables):
    found = tables.get_item(TableName=f"{PREFIX}reindexing", Key=KEY, ConsistentRead=True)["Item"]
    return {name: next(iter(value.values())) for name, value in found.items()}


def status(environment, value):
    aws(
        environment, "dynamodb", "update-item", "--table-name", f"{PREFIX}reindexing", "--key", json.dumps(KEY),
        "--update-expression", "SET job_status = :s", "--expression-attribute-values", json.dumps({":s": {"S": value}}),
    )


class Watch:
    """Looks at the job again and again, and notes when its counters first had everything."""

    def __init__(self, tables, documents, folder):
        self.tables, self.documents, self.folder = tables, documents, folder
        self.begun, self.told, self.reached = time.monotonic(), 0.0, {}

    def until(self, what, holds):
        while True:
            found = record(self.tables)
            passed = time.monotonic() - self.begun
            for name in ("extracted", "replayed", "completed"):
                if int(found.get(f"{name}_doc_count", 0)) == self.documents:
                    self.reached.setdefault(name, round(passed, 1))
            if holds(found):
                return found
            if passed > PATIENCE or found["job_status"] == "failed":
                for log in sorted(self.folder.glob("*.log")):
                    print(f"== {log.stem}\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
                sys.exit(f"local-aws: not {what} after {passed:.0f} s: {json.dumps(found, indent=1)}")
            if passed - self.told >= 10:
                self.told = passed
                counters = ", ".join(f"{found.get(f'{name}_doc_count', 0)} {name}" for name in ("extracted", "replayed", "completed"))
                print(f"local-aws: {found['job_status']}, {counters}", file=sys.stderr)
            time.sleep(0.1)


def times(log):
    """How often each function was invoked, and how long it worked in all."""
    found = collections.defaultdict(list)
    for line in filter(lambda line: line.startswith("{"), log.read_text().splitlines()):
        said = json.loads(line)
        if said["message"] == "invocation":
            found[said["function"]].append(float(said["took"].split()[0]))
    return {name: {"invocations": len(all_), "seconds": round(sum(all_), 2)} for name, all_ in sorted(found.items())}


def main(sluice, function, documents):
    with tempfile.TemporaryDirectory() as name, services.LocalServices(sluice, pathlib.Path(name), documents) as local:
        folder = pathlib.Path(name)
        vault = stack.client("secretsmanager", local.emulator, services.ACCOUNT)
        secret = vault.create_secret(Name="ecommerce", SecretString=services.KEY)["ARN"]
        parameters = {
            "Prefix": PREFIX, "VespaUrl": local.vespa, "EcommerceUrl": local.ecommerce, "EcommerceApiKeySecretArn": secret,
            "EksClusterName": services.CLUSTER, "ExtractionImage": "sluice:local", "ManageClusterAccess": "false",
            "Architecture": "x86_64", "LogLevel": "info",
        }
        told = {one: local.where[one] for one in local.where if one.startswith("AWS_")}
        script = bootstrap(function, told | {"SLUICE_KUBERNETES_URL": local.kubernetes}, folder / "functions.log")
        bucket = stack.deploy(local.emulator, services.ACCOUNT, parameters, script)
        environment = local.environment(bucket, PREFIX)
        services.set_index(sluice, environment)
        tables = stack.client("dynamodb", local.emulator, services.ACCOUNT)
        watch = Watch(tables, documents, folder)
        item = KEY | {
            "reindex_id": {"S": JOB}, "reindex_type": {"S": "post"}, "job_status": {"S": "pending"},
            "concurrency": {"N": "4"}, "destination_index_name": {"S": DESTINATION},
        }
        aws(environment, "dynamodb", "put-item", "--table-name", f"{PREFIX}reindexing", "--item", json.dumps(item))
        watch.until("under way", lambda found: int(found.get("extracted_doc_count", 0)) > 0)
        status(environment, "paused")
        print(f"local-aws: paused after {time.monotonic() - watch.begun:.1f} s", file=sys.stderr)
        paused = record(tables)
        status(environment, "pending")
        ended = watch.until("at its end", lambda found: found["job_status"] in ("completed", "completed_with_failures"))
        took = time.monotonic() - watch.begun
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
        verified = json.loads(services.run(sluice, environment, "job", "verify", JOB, "--format", "json"))
        services.run(sluice, environment, "doctor")
        print(json.dumps({"seconds": round(took, 1), "launches": int(ended["launch_number"]), **counters}))
        print(json.dumps({"secondsUntilAllAre": watch.reached, "functions": times(folder / "functions.log")}))
        print(json.dumps(verified))
        print(f"local-aws: {documents} documents by event wiring alone, paused and resumed once, all there")


if __name__ == "__main__":
    main(sys.argv[1], os.path.abspath(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 10_000)
