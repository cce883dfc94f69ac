#!/usr/bin/env python3
"""Runs whole reindexing jobs with their books on an emulator of AWS, and says what they cost: our CPU, and AWS's calls and price.

    measure_aws.py SIDE SLUICE DOCUMENTS [KIND [OPTION…]]     SIDE is sluice or source-shape
    measure_aws.py both SLUICE DOCUMENTS [KIND [OPTION…]]     the one after the other, and how they compare

SLUICE is a build of the program, OPTIONs are those of `sluice worker`, such as --set confirm.interval.seconds=1: without that a
job waits for its confirmations by the minute, and what the worker asks meanwhile is counted with the rest. CPU is that of one worker from its start to its end, and of the peer's processes as
measure_reindex.py counts it; wall time is the emulator's and says nothing. KIND is as there.
The price is AWS's list price of requests in us-east-1: no storage, no transfer, no free tier, no compute.
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

from measure_reindex import HERE, KEY, PYTHON, declare, environment, expect, measured, stand_in, stats

# Dollars for a million, us-east-1, as listed in 2026 under aws.amazon.com/dynamodb/pricing/on-demand, /sqs/pricing, /s3/pricing.
PRICES = {"write unit": 0.625, "read unit": 0.125, "stream read": 0.20, "SQS request": 0.40, "S3 write or list": 5.00, "S3 read": 0.40}
FREE = "free"
READS = {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}


def billed_as(operation):
    """What one unit of an operation is sold as."""
    service, name = operation.split(" ", 1)
    if service == "dynamodb":
        return "read unit" if name in READS else "write unit" if name in WRITES else FREE
    if service == "sqs":
        return "SQS request"
    if service == "streams":
        return "stream read" if name == "GetRecords" else FREE
    if service == "s3":
        return FREE if name.startswith("Delete") else "S3 read" if name in ("GetObject", "HeadObject") else "S3 write or list"
    return FREE


@contextlib.contextmanager
def server(*command):
    """A program that prints its URL and ends with its standard input."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        if not url:
            sys.exit(f"measure: {pathlib.Path(str(command[-1])).name} did not start")
        yield url
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def aws():
    with server(HERE.parent / "Scripts/emulator.py") as emulator, server(PYTHON, HERE / "peers/aws_counter.py", emulator) as url:
        yield url


def counted(url):
    """What was called since this was last asked."""
    with urllib.request.urlopen(f"{url}/_counted") as answer:
        return json.load(answer)


def run_sluice(sluice, kind, vespa, api, documents, url, options):
    with tempfile.TemporaryDirectory() as folder:
        variables = {
            **environment(folder, vespa, api), "SLUICE_BACKEND": "aws", "SLUICE_AWS_BUCKET": "benchmark",
            "AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true", "SLUICE_IDLE_SETTLE_SECONDS": "0.5",
        }
        surroundings = {**os.environ, **variables}
        subprocess.run([sluice, "tables", "create"], env=surroundings, stdout=subprocess.DEVNULL, check=True)
        declare(sluice, kind, variables)
        start = [
            sluice, "reindex", "start", "--account", "demo", "--index", f"products-{kind}", "--destination-index", "copy",
        ]
        job = subprocess.run(start, env=surroundings, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        counted(url)
        _, cpu, seconds, memory = measured([sluice, "worker", "--until-idle", *options], variables)
        calls = counted(url)
        show = [sluice, "job", "show", job, "--format", "json"]
        shown = json.loads(subprocess.run(show, env=surroundings, stdout=subprocess.PIPE, text=True, check=True).stdout)
    if shown["job_status"] != "completed" or shown["completed_doc_count"] != documents:
        sys.exit(f"measure: the job ended {shown['job_status']} with {shown['completed_doc_count']} of {documents} documents")
    return cpu, seconds, memory, calls


def run_source_shape(sluice, kind, vespa, api, documents, url, _):
    command = [
        PYTHON, HERE / "peers/reindex_source_shape.py", vespa, f"{api}/api/v1", f"products-{kind}", kind, "copy", str(documents), url,
    ]
    output, _, _, memory = measured(command, {"SLUICE_ECOMMERCE_API_KEY": KEY})
    result = json.loads(output)
    expect(result, documents)
    return result["cpuSeconds"], result["seconds"], memory, counted(url)


SIDES = {"sluice": run_sluice, "source-shape": run_source_shape}


def run(side, sluice, documents, kind, options):
    os.environ["SLUICE_ECOMMERCE_API_KEY"] = KEY
    # The stand-in gives each kind of index a third.
    with stand_in(sluice, "vespa", "--documents", 3 * documents) as vespa, \
            stand_in(sluice, "ecommerce", "--keep", "digests", "--processing", 200) as api, aws() as url:
        cpu, seconds, memory, calls = SIDES[side](sluice, kind, vespa, api, documents, url, options)
        held = stats(api)["documents"].get("copy", 0)
    if held != documents:
        sys.exit(f"measure: {held} documents arrived of {documents}")
    return summary(side, kind, documents, cpu, seconds, memory, calls)


def summary(side, kind, documents, cpu, seconds, memory, calls):
    thousands = documents / 1000
    billed = dict.fromkeys(PRICES, 0)
    for operation, counts in calls.items():
        if billed_as(operation) != FREE:
            billed[billed_as(operation)] += counts["billed"]
    dollars = {name: units * PRICES[name] / 1e6 for name, units in billed.items()}
    result = {
        "side": side, "kind": kind, "documents": documents, "cpuMicrosecondsPerDocument": round(cpu / documents * 1e6, 2),
        "seconds": round(seconds, 1), "memoryMaxMB": memory,
        "callsPerThousandDocuments": round(sum(counts["calls"] for counts in calls.values()) / thousands, 2),
        "billedPerThousandDocuments": {name: round(units / thousands, 3) for name, units in billed.items()},
        "dollarsPerMillionDocuments": {name: round(price * 1e6 / documents, 4) for name, price in dollars.items()},
        "dollarsPerMillionDocumentsInAll": round(sum(dollars.values()) * 1e6 / documents, 4),
        "operations": {
            operation: {
                "callsPerThousandDocuments": round(counts["calls"] / thousands, 3),
                "billedPerThousandDocuments": round(counts["billed"] / thousands, 3),
                "bytesSentPerCall": counts["sent"] // counts["calls"], "bytesReceivedPerCall": counts["received"] // counts["calls"],
                **{name: count for name, count in counts.items() if name.startswith("status")},
            }
            for operation, counts in sorted(calls.items())
        },
    }
    print(json.dumps(result), flush=True)
    return result


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in (*SIDES, "both"):
        sys.exit(__doc__)
    side, sluice, documents = sys.argv[1:4]
    kind, *options = sys.argv[4:] or ["semi-structured"]
    if side != "both":
        run(side, sluice, int(documents), kind, options)
        return
    ours, theirs = (run(side, sluice, int(documents), kind, options) for side in SIDES)
    names = ("cpuMicrosecondsPerDocument", "callsPerThousandDocuments", "dollarsPerMillionDocumentsInAll")
    print(json.dumps({f"{name}Ratio": round(theirs[name] / ours[name], 1) for name in names}))


main()
