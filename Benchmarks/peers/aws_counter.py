"""Stands between a program and the emulator of AWS, and counts what would be billed.

Usage: aws_counter.py UPSTREAM      prints its URL, and ends with its standard input
       GET /_counted                {"SQS SendMessageBatch": {"calls": 3, "billed": 4, "sent": BYTES, "received": BYTES}, …}, and begins anew

Billed are, by AWS's own rules: of SQS, requests of 64 KB begun; of DynamoDB, request units, worked out from the items' sizes,
those of written indexes included and doubled in transactions; of S3 and DynamoDB's streams, requests. What a query read and its
filter dropped is taken for as large as what it returned. The signature's scope says which service is asked.
"""
import asyncio
import base64
import collections
import json
import math
import os
import re
import sys

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

UPSTREAM = sys.argv[1]
SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
HOP = {"connection", "keep-alive", "transfer-encoding", "content-encoding"}
WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
counted = collections.defaultdict(lambda: dict.fromkeys(("calls", "billed", "sent", "received"), 0))
schemas: dict[str, tuple[list[str], dict[str, list[str]]]] = {}
items: dict[tuple[str, str], dict] = {}


# Sizes, as DynamoDB's developer guide gives them under "item sizes and formats"

def size_of(value):
    (kind, content), = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return math.ceil(len(content.strip("-").replace(".", "").strip("0")) / 2) + 1
    if kind == "B":
        return len(base64.b64decode(content))
    if kind == "L":
        return 3 + sum(1 + size_of(element) for element in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + size_of(element) for name, element in content.items())
    return 1


def item_size(item):
    return sum(len(name.encode()) + size_of(value) for name, value in item.items()) if item else 0


def blocks(size, block):
    return max(1, math.ceil(size / block))


class Database:
    """What the emulator holds, as far as the price of a write depends on it; asked for by calls that are not counted."""

    def __init__(self, session, headers):
        self.session = session
        self.headers = {name: value for name, value in headers.items() if name.lower() not in {"content-length", "x-amz-target"}}

    async def ask(self, operation, input):
        headers = {**self.headers, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        async with self.session.post(UPSTREAM, data=json.dumps(input), headers=headers) as answer:
            return json.loads(await answer.read())

    async def schema(self, table):
        if table not in schemas:
            found = (await self.ask("DescribeTable", {"TableName": table}))["Table"]
            names = lambda keys: [key["AttributeName"] for key in keys]
            indexes = found.get("GlobalSecondaryIndexes") or []
            schemas[table] = (names(found["KeySchema"]), {one["IndexName"]: names(one["KeySchema"]) for one in indexes})
        return schemas[table]

    async def write_units(self, kind, write, succeeded):
        """Of one write: the larger of the old item and the new, and the same for each index that it changes."""
        table = write["TableName"]
        names, indexes = await self.schema(table)
        source = write.get("Item") or write["Key"]
        key = {name: source[name] for name in names}
        place = (table, json.dumps(key, sort_keys=True))
        old = items.get(place)
        if not succeeded or kind == "ConditionCheck":
            return blocks(item_size(old), 1024)
        new = {"Put": write.get("Item"), "Delete": None}.get(kind)
        if kind == "Update":
            new = (await self.ask("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})).get("Item")
        items[place] = new
        units = blocks(max(item_size(old), item_size(new)), 1024)
        for keys in indexes.values():
            before, after = ([item.get(name) for name in keys] if item else [None] for item in (old, new))
            was, will_be = None not in before, None not in after
            if was and will_be and before == after:
                units += blocks(max(item_size(old), item_size(new)), 1024) if old != new else 0
            else:
                units += (blocks(item_size(old), 1024) if was else 0) + (blocks(item_size(new), 1024) if will_be else 0)
        return units


def read_units(input, answer):
    read = answer.get("Items", [])
    size = sum(map(item_size, read))
    unseen = answer.get("ScannedCount", len(read)) - len(read)
    size += unseen * (size // len(read) if read else 200)
    return blocks(size, 4096) * (1 if input.get("ConsistentRead") else 0.5)


async def dynamodb_units(database, operation, input, answer, succeeded):
    if operation in WRITES:
        return await database.write_units(WRITES[operation], input, succeeded)
    if operation == "TransactWriteItems":
        writes = [(kind, write) for action in input["TransactItems"] for kind, write in action.items()]
        return 2 * sum([await database.write_units(kind, write, succeeded) for kind, write in writes])
    if operation == "BatchWriteItem":
        units = 0
        for table, requests in input["RequestItems"].items():
            for request in requests:
                (kind, write), = request.items()
                units += await database.write_units(kind.removesuffix("Request"), {"TableName": table, **write}, succeeded)
        return units
    if operation == "GetItem":
        return blocks(item_size(answer.get("Item")), 4096) * (1 if input.get("ConsistentRead") else 0.5)
    if operation == "BatchGetItem":
        units = 0
        for table, request in input["RequestItems"].items():
            found = [blocks(item_size(item), 4096) for item in answer.get("Responses", {}).get(table, [])]
            factor = 1 if request.get("ConsistentRead") else 0.5
            units += factor * (sum(found) + len(request["Keys"]) - len(found))
        return units
    return read_units(input, answer) if operation in ("Query", "Scan") else 0


def s3_operation(request):
    query, key = request.query, request.path.strip("/").partition("/")[2]
    if not key:
        return {"GET": "ListObjects", "POST": "DeleteObjects"}.get(request.method, f"{request.method} bucket")
    if request.method == "PUT":
        return "CopyObject" if "x-amz-copy-source" in request.headers else "UploadPart" if "partNumber" in query else "PutObject"
    if request.method == "POST":
        return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
    return {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}[request.method]


async def forward(request):
    session = request.app["session"]
    body = await request.read()
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
    async with session.request(request.method, UPSTREAM + request.raw_path, data=body or None, headers=headers) as answer:
        content = await answer.read()
        scope = SCOPE.search(request.headers.get("Authorization", ""))
        service = scope[1] if scope else "unsigned"
        target = request.headers.get("X-Amz-Target")
        operation = target.rpartition(".")[2] if target else s3_operation(request) if service == "s3" else request.method
        if target and target.startswith("DynamoDBStreams"):
            service = "streams"
        counts = counted[f"{service} {operation}"]
        billed = 1
        if service == "sqs":
            billed = blocks(max(len(body), len(content)), 64 << 10)
        elif service == "dynamodb":
            database = Database(session, headers)
            billed = await dynamodb_units(database, operation, json.loads(body), json.loads(content or b"{}"), answer.status == 200)
        for name, amount in (("calls", 1), ("billed", billed), ("sent", len(body)), ("received", len(content))):
            counts[name] += amount
        if answer.status >= 300:
            counts[f"status {answer.status}"] = counts.get(f"status {answer.status}", 0) + 1
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
        if request.method != "HEAD":
            kept.pop("Content-Length", None)
        return web.Response(status=answer.status, body=content, headers=kept)


async def report(_):
    answer = web.json_response(counted)
    counted.clear()
    return answer


async def main():
    application = web.Application(client_max_size=1 << 30)
    # A connection for each call: one that is kept may be closed by the emulator just as a call goes out.
    application["session"] = ClientSession(
        auto_decompress=False, connector=TCPConnector(limit=0, force_close=True), cookie_jar=DummyCookieJar(), timeout=ClientTimeout(),
        skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),
    )
    application.router.add_get("/_counted", report)
    application.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    while await asyncio.to_thread(sys.stdin.buffer.read1, 4096):
        pass
    # Receives that wait for messages may be open still; who sent them has gone.
    os._exit(0)


asyncio.run(main())
