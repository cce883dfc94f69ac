"""Durable queues of Python: huey (runs the task; no lease) and persist-queue (acknowledged), WAL, every commit synced.

Usage: queue_peers.py BYTES MESSAGES      One JSON line for each peer and direction; folder under $BENCH_DIR or /tmp.
cpuMicroseconds: of this process, for each message. Neither peer has batches: a message is a commit, or two.
"""
import json
import os
import shutil
import sys
import tempfile
import time

BYTES, MESSAGES = int(sys.argv[1]), int(sys.argv[2])
BODY = "x" * BYTES


def measure(side, direction, work):
    wall, cpu = time.perf_counter(), time.process_time()
    count = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert count == MESSAGES, count
    print(json.dumps({
        "side": side, "work": f"{direction} {BYTES} B",
        "rate": int(count / wall), "cpuMicroseconds": round(cpu * 1e6 / count, 2),
    }), flush=True)


def huey(folder):
    from huey import SqliteHuey

    queue = SqliteHuey(filename=folder + "/huey.db", results=False)

    @queue.task()
    def job(_):
        return None

    def drain():
        count = 0
        while (task := queue.dequeue()) is not None:
            queue.execute(task)
            count += 1
        return count

    def send():
        for _ in range(MESSAGES):
            job(BODY)
        return MESSAGES

    measure("huey", "send", send)
    measure("huey", "receive and delete", drain)


def persist_queue(folder):
    import persistqueue

    queue = persistqueue.SQLiteAckQueue(folder + "/persist", auto_commit=True)

    def send():
        for _ in range(MESSAGES):
            queue.put(BODY)
        return MESSAGES

    def drain():
        for _ in range(MESSAGES):
            queue.ack(queue.get())
        return MESSAGES

    measure("persist-queue", "send", send)
    measure("persist-queue", "receive and delete", drain)


for peer in (huey, persist_queue):
    folder = tempfile.mkdtemp(prefix="queue-peer-", dir=os.environ.get("BENCH_DIR", "/tmp"))
    peer(folder)
    shutil.rmtree(folder)
