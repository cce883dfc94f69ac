"""The reindex in the source system's own shape: one message a document, requests, pydantic, boto3 against the emulator.

Usage: reindex_source_shape.py VESPA_URL API_URL INDEX KIND DESTINATION DOCUMENTS AWS_URL      One JSON line at the end.

Each component is a process of its own, as there: extraction (a thread for each slice), replay, progress, polling. Tokens, jobs
and counters lie in DynamoDB tables, documents and progress events go through SQS queues. What is counted is the CPU of these
processes from the first request on: interpreters, imports and the making of tables are not.
"""
import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import botocore.config
import requests
from boto3.dynamodb.conditions import Attr
from pydantic import BaseModel, ConfigDict, Field

from transform_orjson import KINDS

SLICES, PAGE, BATCH, REPLAYERS = 8, 500, 100, 2
JOB_KEY = {"pk": "demo", "sk": "products#1"}
TABLES = {"reindexing": ("pk", "sk"), "progress": ("pk", "sk"), "ecom-jobs": ("pk", "sk")}


class VespaDocument(BaseModel):
    id: str
    fields: dict[str, Any]


class VespaPage(BaseModel):
    model_config = ConfigDict(extra="ignore")
    documents: list[VespaDocument] = []
    continuation: str | None = None
    message: str | None = None


class ReplayMessage(BaseModel):
    reindex_id: str
    index_name: str
    reindex_type: str = "post"
    document: dict[str, Any]


class ProgressMessage(BaseModel):
    reindex_id: str
    extracted: int = 0
    replayed: int = 0
    completed: int = 0


class EcomJobAccepted(BaseModel):
    job_id: str
    status: str


class EcomJob(BaseModel):
    model_config = ConfigDict(extra="ignore")
    status: str
    failed_items: list[Any] | int = Field(default=[], alias="failedItems")


class Pipeline:
    def __init__(self, vespa: str, api: str, index: str, kind: str, destination: str, documents: str, aws: str) -> None:
        schema = "marqo__" + index.replace("_", "_00").replace("-", "_01")
        self.visit = f"{vespa}/document/v1/{schema}/{schema}/docid"
        self.field_set = f"{schema}:[document]"
        self.api = f"{api}/indexes/{destination}"
        self.destination = destination
        self.documents = int(documents)
        self.mapped = KINDS[kind]
        self.aws = {
            "endpoint_url": aws, "region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test",
            "config": botocore.config.Config(max_pool_connections=SLICES),
        }
        self.headers = {"Authorization": "Bearer " + os.environ.get("SLUICE_ECOMMERCE_API_KEY", "")}
        self.done = multiprocessing.Event()

    def prepare(self) -> None:
        """Tables, queues and the job's record; and the clients, which every process takes over unused."""
        database, queues = boto3.resource("dynamodb", **self.aws), boto3.client("sqs", **self.aws)
        for name, keys in TABLES.items():
            database.create_table(
                TableName=name, BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": key, "KeyType": type} for key, type in zip(keys, ("HASH", "RANGE"))],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            )
        self.replay_url = queues.create_queue(QueueName="replay", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        self.progress_url = queues.create_queue(QueueName="progress", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        counters = {"extracted_doc_count": 0, "replayed_doc_count": 0, "completed_doc_count": 0}
        database.Table("reindexing").put_item(Item={**JOB_KEY, "job_status": "in_progress", **counters})
        fresh = boto3.resource("dynamodb", **self.aws)
        self.reindexing, self.progress, self.ecom_jobs = (fresh.Table(name) for name in TABLES)
        self.sqs = boto3.client("sqs", **self.aws)

    def run(self) -> dict[str, Any]:
        works: list[Callable[[], None]] = [self.extract, *[self.replay] * REPLAYERS, self.count_progress, self.poll]
        processes = [multiprocessing.Process(target=work) for work in works]
        for process in processes:
            process.start()
        watching = boto3.resource("dynamodb", **self.aws).Table("reindexing")
        while True:
            job = watching.get_item(Key=JOB_KEY, ConsistentRead=True)["Item"]
            if job["completed_doc_count"] >= self.documents or any(process.exitcode for process in processes):
                break
            time.sleep(0.2)
        self.done.set()
        for process in processes:
            process.join()
        return {name: int(value) for name, value in job.items() if name.endswith("_doc_count")}

    # Extraction

    def extract(self) -> None:
        with ThreadPoolExecutor(SLICES) as threads:
            for end in [threads.submit(self.extract_slice, number) for number in range(SLICES)]:
                end.result()

    def extract_slice(self, number: int) -> None:
        session = requests.Session()
        token = self.progress.get_item(Key={"pk": "1", "sk": str(number)}).get("Item", {}).get("token")
        while True:
            parameters: dict[str, str | int] = {
                "slices": SLICES, "sliceId": number, "wantedDocumentCount": PAGE, "fieldSet": self.field_set,
            }
            if token:
                parameters["continuation"] = token
            answer = session.get(self.visit, params=parameters, timeout=200)
            answer.raise_for_status()
            page = VespaPage.model_validate_json(answer.content)
            if page.message:
                raise RuntimeError(page.message)
            messages = [
                ReplayMessage(reindex_id="1", index_name=self.destination, document=self.mapped(document.fields))
                for document in page.documents
            ]
            for start in range(0, len(messages), 10):
                self.send(self.replay_url, messages[start:start + 10])
            token = page.continuation
            self.progress.put_item(Item={"pk": "1", "sk": str(number), "token": token or "", "finished": token is None})
            if messages:
                self.send(self.progress_url, [ProgressMessage(reindex_id="1", extracted=len(messages))])
            if not token:
                return

    def send(self, url: str, messages: list[Any]) -> None:
        entries = [{"Id": str(number), "MessageBody": message.model_dump_json()} for number, message in enumerate(messages)]
        failed = self.sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")
        if failed:
            raise RuntimeError(f"messages were not taken: {failed}")

    def receive(self, url: str) -> list[Any]:
        return self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])

    def delete(self, url: str, messages: list[Any]) -> None:
        for start in range(0, len(messages), 10):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[start:start + 10])
            ]
            self.sqs.delete_message_batch(QueueUrl=url, Entries=entries)

    # Replay

    def replay(self) -> None:
        session = requests.Session()
        session.headers.update(self.headers)
        while not self.done.is_set():
            messages: list[Any] = []
            while len(messages) < BATCH:
                received = self.receive(self.replay_url)
                messages += received
                if not received:
                    break
            if not messages:
                continue
            parsed = [ReplayMessage.model_validate_json(message["Body"]) for message in messages]
            answer = session.post(f"{self.api}/documents", json={"documents": [one.document for one in parsed]}, timeout=60)
            answer.raise_for_status()
            accepted = EcomJobAccepted.model_validate_json(answer.content)
            self.ecom_jobs.put_item(Item={
                "pk": "1", "sk": accepted.job_id, "job_status": "pending", "doc_count": len(parsed),
                "ttl": int(time.time()) + 30 * 86_400,
            })
            self.send(self.progress_url, [ProgressMessage(reindex_id="1", replayed=len(parsed))])
            self.delete(self.replay_url, messages)

    # Progress

    def count_progress(self) -> None:
        while not self.done.is_set():
            messages = self.receive(self.progress_url)
            for message in messages:
                event = ProgressMessage.model_validate_json(message["Body"])
                self.reindexing.update_item(
                    Key=JOB_KEY,
                    UpdateExpression="ADD extracted_doc_count :e, replayed_doc_count :r, completed_doc_count :c",
                    ExpressionAttributeValues={":e": event.extracted, ":r": event.replayed, ":c": event.completed},
                )
            self.delete(self.progress_url, messages)

    # Completion

    def poll(self) -> None:
        session = requests.Session()
        session.headers.update(self.headers)
        while not self.done.wait(1):
            for item in self.pending():
                answer = session.get(f"{self.api}/jobs/{item['sk']}", timeout=60)
                answer.raise_for_status()
                job = EcomJob.model_validate_json(answer.content)
                if job.status != "COMPLETED":
                    continue
                failed = job.failed_items if isinstance(job.failed_items, int) else len(job.failed_items)
                self.ecom_jobs.update_item(
                    Key={"pk": "1", "sk": item["sk"]}, UpdateExpression="SET job_status = :s",
                    ExpressionAttributeValues={":s": "completed"},
                )
                self.send(self.progress_url, [ProgressMessage(reindex_id="1", completed=int(item["doc_count"]) - failed)])

    def pending(self) -> list[Any]:
        items: list[Any] = []
        start: dict[str, Any] = {}
        while True:
            page = self.ecom_jobs.scan(FilterExpression=Attr("job_status").eq("pending"), **start)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    multiprocessing.set_start_method("fork")
    pipeline = Pipeline(*sys.argv[1:])
    pipeline.prepare()
    begun, wall = cpu(), time.monotonic()
    counts = pipeline.run()
    seconds, wall = cpu() - begun, time.monotonic() - wall
    print(json.dumps({
        "extracted": counts["extracted_doc_count"], "replayed": counts["replayed_doc_count"],
        "completed": counts["completed_doc_count"], "cpuSeconds": round(seconds, 3), "seconds": round(wall, 2),
    }))


if __name__ == "__main__":
    main()
