"""First and warm answers of functions under Lambda's emulator; see Benchmarks/lambda.sh. Usage: lambda_calls.py SLUICE ROUNDS"""
import contextlib
import http.client
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Scripts"))

import check_deploy_stack as stack  # noqa: E402
import invoke_run  # noqa: E402
import lambda_emulator  # noqa: E402
import local_services as services  # noqa: E402

ZIP = ROOT / ".build" / "lambda" / "sluice-lambda.zip"
PYTHON = ROOT / "Benchmarks" / ".venv-lambda" / "bin" / "python"
# A function as the source system has them: its clients are made once, when it is imported.
HANDLER = """
import boto3
jobs = boto3.resource("dynamodb").Table("sluice-reindexing")
queue = boto3.client("sqs")
def handler(event, context):
    return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in event["Records"]]}
"""
EMPTY = b'{"Records": []}'
WARM = 50
BATCH = 10


class Function:
    """One process under the emulator, begun by its first call."""

    def __init__(self, words, environment, until):
        process, url = lambda_emulator.begin(words, environment["_HANDLER"], 60, environment)
        until.callback(lambda_emulator.end, process)
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
        self.connection.connect()

    def call(self, event):
        """The answer, and after how many milliseconds it was there."""
        begun = time.perf_counter()
        self.connection.request("POST", lambda_emulator.PATH, event)
        answer = self.connection.getresponse().read()
        took = (time.perf_counter() - begun) * 1000
        said = json.loads(answer)
        if said is None or "errorMessage" in said:
            sys.exit(f"lambda_calls: {answer[:500]}")
        return said, took


def cold(cases, rounds):
    """All cases in turn in each round."""
    first, warm = {name: [] for name in cases}, {name: [] for name in cases}
    for _ in range(rounds):
        for name, (words, environment, event) in cases.items():
            with contextlib.ExitStack() as until:
                function = Function(words, environment, until)
                first[name].append(function.call(event)[1])
                warm[name].append(statistics.median(function.call(event)[1] for _ in range(WARM)))
    return first, warm


def spread(times):
    return {"least": round(min(times), 1), "median": round(statistics.median(times), 1), "most": round(max(times), 1)}


def batches(bootstrap, environment, queues):
    """Chunks as the extraction of a job left them, ten at a time, one batch after the other."""
    url = queues.get_queue_url(QueueName="sluice-replay")["QueueUrl"]
    took, documents = [], []
    with contextlib.ExitStack() as until:
        function = Function([bootstrap], environment | {"_HANDLER": "replay"}, until)
        function.call(EMPTY)
        while True:
            received = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=BATCH, AttributeNames=["All"]).get("Messages", [])
            if not received:
                return took, documents
            records = [
                {
                    "messageId": one["MessageId"], "receiptHandle": one["ReceiptHandle"], "body": one["Body"],
                    "attributes": one["Attributes"], "eventSource": "aws:sqs",
                }
                for one in received
            ]
            said, milliseconds = function.call(json.dumps({"Records": records}).encode())
            if said["batchItemFailures"]:
                sys.exit(f"lambda_calls: {said}")
            queues.delete_message_batch(
                QueueUrl=url,
                Entries=[{"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]} for place, one in enumerate(received)],
            )
            if len(received) == BATCH:
                took.append(milliseconds)
                documents.append(sum(json.loads(one["Body"])["count"] for one in received))


def extracted(sluice, local, environment, bootstrap, documents):
    """Has a job read by its extraction, begun as always by its record's change."""
    sample = json.loads((invoke_run.EVENTS / "extraction-bare-record.json").read_text())
    image = sample["Records"][0]["dynamodb"]["NewImage"]
    image |= {"reindex_type": {"S": "post"}, "fields": {"NULL": True}}
    tables = stack.client("dynamodb", local.emulator, services.ACCOUNT)
    tables.put_item(TableName="sluice-reindexing", Item=image)
    with contextlib.ExitStack() as until:
        function = Function([bootstrap], environment | {"_HANDLER": "extraction"}, until)
        said, _ = function.call(json.dumps(sample).encode())
        if said["batchItemFailures"]:
            sys.exit(f"lambda_calls: {said}")
        job = image["reindex_id"]["S"]
        for _ in range(600):
            # The record's own counters lag behind what its slices have.
            shown = json.loads(services.run(sluice, environment, "job", "show", job, "--format", "json"))
            if shown["extracted_doc_count"] == documents:
                return
            time.sleep(0.1)
    sys.exit(f"lambda_calls: not all was extracted: {shown}")


def main(sluice, rounds, documents=10_000):
    with contextlib.ExitStack() as until:
        folder = pathlib.Path(until.enter_context(tempfile.TemporaryDirectory()))
        subprocess.run([ROOT / "Scripts" / "lambda_zip.py", "--unpack", ZIP, folder / "function"], check=True)
        bootstrap = folder / "function" / "bootstrap"
        (folder / "peer.py").write_text(HANDLER)
        (folder / "logs").mkdir()
        local = until.enter_context(services.LocalServices(sluice, folder / "logs", documents))
        environment = invoke_run.everything(sluice, {}, local) | {"LAMBDA_TASK_ROOT": str(bootstrap.parent)}
        cases = {name: ([bootstrap], environment | {"_HANDLER": name}, EMPTY) for name in ("replay", "progress", "confirm")}
        python = local.where | {"_HANDLER": "peer.handler", "PYTHONPATH": str(folder), "LAMBDA_TASK_ROOT": str(folder)}
        cases["python"] = ([PYTHON, "-m", "awslambdaric"], python, EMPTY)
        first, warm = cold(cases, rounds)
        print(json.dumps({"zip": f"{ZIP.stat().st_size / 1e6:.1f} MB"}))
        for name in cases:
            ratios = [peer / own for own, peer in zip(first[name], first["python"])]
            print(json.dumps({
                "function": name, "firstAnswerMs": spread(first[name]), "emptyWarmMs": spread(warm[name]),
                "soonerThanPython": spread(ratios),
            }))
        extracted(sluice, local, environment, bootstrap, documents)
        took, each = batches(bootstrap, environment, stack.client("sqs", local.emulator, services.ACCOUNT))
        print(json.dumps({
            "batch": f"{BATCH} chunks", "batches": len(took), "documents": statistics.median(each), "answerMs": spread(took),
        }))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
