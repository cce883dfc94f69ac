"""aiobotocore's calls of SQS and DynamoDB: the same as those of the benchmark aws, from as many tasks.

Usage: aws_calls.py send URL CALLS | emulator URL CALLS [--uvloop]      One JSON line for each kind of work
"""
import asyncio
import json
import random
import statistics
import sys
import time

import aiobotocore.config
import aiobotocore.session

TASKS = 16
ENTRIES = [{"Id": str(number), "MessageBody": "x" * 256} for number in range(10)]


def client(service, url, account):
    config = aiobotocore.config.AioConfig(max_pool_connections=TASKS)
    return aiobotocore.session.get_session().create_client(
        service, region_name="us-east-1", endpoint_url=url, aws_access_key_id=account, aws_secret_access_key="emulated",
        config=config,
    )


async def run(calls, call):
    async def some(task):
        for number in range(task, calls, TASKS):
            await call(number)

    await asyncio.gather(*map(some, range(TASKS)))


async def measure(work, calls, call, each=1, rounds=5, prepare=None):
    costs = []
    for _ in range(rounds + 1):
        if prepare:
            await run(calls, prepare)
        wall, cpu = time.perf_counter(), time.process_time()
        await run(calls, call)
        costs.append((time.process_time() - cpu, time.perf_counter() - wall))
    # The first was to warm up.
    cpu, wall = (statistics.median(column) for column in zip(*costs[1:]))
    print(json.dumps({
        "side": SIDE, "work": work, "perCPUSecond": int(calls * each / cpu), "perSecond": int(calls * each / wall),
    }), flush=True)


def expect_none(answer):
    assert not answer.get("Failed"), answer


async def send(url, calls):
    queue = f"{url}/123456789012/work"
    async with client("sqs", url, "AKIDEXAMPLE") as sqs:
        async def call(_):
            answer = await sqs.send_message_batch(QueueUrl=queue, Entries=ENTRIES)
            assert len(answer["Successful"]) == len(ENTRIES)

        await measure("messages sent", calls, call, each=len(ENTRIES))


async def emulated(url, calls):
    account = str(random.randrange(10**11, 10**12))
    async with client("dynamodb", url, account) as database:
        await database.create_table(
            TableName="items", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )

        async def update(number):
            await database.update_item(
                TableName="items", Key={"pk": {"S": "job"}, "sk": {"S": f"slice-{number % 64}"}},
                UpdateExpression="SET #a = :a, #b = :b, #c = :c",
                ExpressionAttributeNames={"#a": "status", "#b": "count", "#c": "updated_at"},
                ExpressionAttributeValues={
                    ":a": {"S": "in_progress"}, ":b": {"N": str(number)}, ":c": {"S": "2026-11-21T10:00:00.000Z"},
                },
            )

        await measure("UpdateItem on the emulator", calls, update, rounds=3)

    async with client("sqs", url, account) as sqs:
        queue = (await sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "600"}))["QueueUrl"]

        async def fill(_):
            expect_none(await sqs.send_message_batch(QueueUrl=queue, Entries=ENTRIES))

        async def drain(_):
            answer = await sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600, WaitTimeSeconds=0,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
            messages = answer.get("Messages", [])
            assert len(messages) == len(ENTRIES), len(messages)
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
            ]
            expect_none(await sqs.delete_message_batch(QueueUrl=queue, Entries=entries))

        work = "ReceiveMessage and DeleteMessageBatch on the emulator"
        await measure(work, calls // 4, drain, each=2, rounds=3, prepare=fill)


work = {"send": send, "emulator": emulated}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
if "--uvloop" in sys.argv:
    import uvloop

    SIDE = "aiobotocore on uvloop"
    uvloop.run(work)
else:
    SIDE = "aiobotocore"
    asyncio.run(work)
