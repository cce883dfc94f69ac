"""The whole reindex written with care in Python: asyncio on uvloop, aiohttp, orjson, SQLite in WAL with every commit synced.

Usage: reindex_tuned.py VESPA_URL API_URL INDEX KIND DESTINATION DATABASE      One JSON line at the end.

A crash loses nothing: a page's chunks, its payload and its checkpoint are one commit; a receipt replaces the queued chunk; the
payload goes when its documents are confirmed. Commits of all slices and deliveries are shared. Started again on its database
it goes on where it stopped.
"""
import asyncio
import gc
import json
import os
import random
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import orjson
import uvloop

from transform_orjson import KINDS

SLICES, PAGE, CHUNK, QUEUED, DELIVERIES, CONFIRMATIONS, ATTEMPTS = 8, 500, 100, 100, 16, 16, 8
CHUNK_BYTES, COMMIT_DELAY, LEASE, POLL = 921_600, 0.005, 60, 1.0
SCHEMA = """
CREATE TABLE slices (slice INTEGER PRIMARY KEY, token TEXT, finished INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE payloads (chunk INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE queue (chunk INTEGER PRIMARY KEY, count INTEGER NOT NULL, owner TEXT NOT NULL, until REAL NOT NULL);
CREATE TABLE receipts (chunk INTEGER PRIMARY KEY, receipt TEXT NOT NULL, count INTEGER NOT NULL);
CREATE TABLE dead_letters (chunk INTEGER, id TEXT, reason TEXT NOT NULL, document BLOB);
CREATE TABLE job (extracted INTEGER, replayed INTEGER, completed INTEGER, dead INTEGER);
INSERT INTO job VALUES (0, 0, 0, 0);
"""


class Store:
    """One writer thread; whatever comes within a few milliseconds shares a commit."""

    def __init__(self, path):
        isNew = not os.path.exists(path)
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA page_size = 32768")
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        if isNew:
            self.database.executescript(SCHEMA)
        self.thread = ThreadPoolExecutor(1)
        self.waiting = []
        self.wanted = asyncio.Event()

    async def commit(self, statement, rows, extracted=0, replayed=0, completed=0, dead=0, more=()):
        done = asyncio.get_running_loop().create_future()
        self.waiting.append(([(statement, rows), *more], (extracted, replayed, completed, dead), done))
        self.wanted.set()
        await done

    async def run(self):
        loop = asyncio.get_running_loop()
        while True:
            await self.wanted.wait()
            await asyncio.sleep(COMMIT_DELAY)
            batch, self.waiting = self.waiting, []
            self.wanted.clear()
            await loop.run_in_executor(self.thread, self.write, batch)
            for _, _, done in batch:
                if not done.cancelled():
                    done.set_result(None)

    def write(self, batch):
        merged, counts = {}, (0, 0, 0, 0)
        for works, added, _ in batch:
            for statement, rows in works:
                merged.setdefault(statement, []).extend(rows)
            counts = tuple(map(sum, zip(counts, added)))
        self.database.execute("BEGIN IMMEDIATE")
        for statement, rows in merged.items():
            self.database.executemany(statement, rows)
        self.database.execute(
            "UPDATE job SET extracted = extracted + ?, replayed = replayed + ?, completed = completed + ?, dead = dead + ?", counts,
        )
        self.database.execute("COMMIT")


class Reindex:
    def __init__(self, vespa, api, index, kind, destination, database):
        schema = "marqo__" + index.replace("_", "_00").replace("-", "_01")
        self.visit = f"{vespa}/document/v1/{schema}/{schema}/docid"
        self.fieldSet = f"{schema}:[document]"
        self.documents = f"{api}/indexes/{destination}/documents"
        self.jobs = f"{api}/indexes/{destination}/jobs/"
        self.mapped = KINDS[kind]
        self.store = Store(database)
        self.owner = f"{os.getpid()}-{time.time()}"
        self.queue = asyncio.Queue(QUEUED)
        self.receipts = {}
        rows = self.store.database.execute("SELECT max(chunk) FROM payloads").fetchone()
        self.chunk = rows[0] or 0

    async def run(self):
        limit = SLICES + DELIVERIES + CONFIRMATIONS
        connector = aiohttp.TCPConnector(limit=limit, limit_per_host=0, ttl_dns_cache=None)
        timeout = aiohttp.ClientTimeout(total=75)
        headers = {"Authorization": "Bearer " + os.environ.get("SLUICE_ECOMMERCE_API_KEY", "")}
        self.session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False, read_bufsize=1 << 21,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )
        self.headers = {**headers, "Content-Type": "application/json"}
        async with self.session:
            writer = asyncio.create_task(self.store.run())
            deliverers = [asyncio.create_task(self.deliver()) for _ in range(DELIVERIES)]
            confirmer = asyncio.create_task(self.confirm())
            await self.recover()
            await asyncio.gather(*(self.extract(number) for number in range(SLICES)))
            await self.queue.join()
            while self.receipts:
                await asyncio.sleep(0.02)
            for task in (writer, confirmer, *deliverers):
                task.cancel()
        return self.store.database.execute("SELECT * FROM job").fetchone()

    async def recover(self):
        """Takes up what an earlier process of this job left behind."""
        database = self.store.database
        for chunk, receipt, count in database.execute("SELECT chunk, receipt, count FROM receipts").fetchall():
            self.receipts[chunk] = (receipt, count)
        for chunk, count in database.execute("SELECT chunk, count FROM queue").fetchall():
            body = database.execute("SELECT body FROM payloads WHERE chunk = ?", (chunk,)).fetchone()[0]
            await self.queue.put((chunk, count, body))

    # Extraction

    async def extract(self, number):
        row = self.store.database.execute("SELECT token, finished FROM slices WHERE slice = ?", (number,)).fetchone()
        token, finished = row or (None, 0)
        attempt = 0
        while not finished:
            parameters = {
                "stream": "true", "slices": SLICES, "sliceId": number, "wantedDocumentCount": PAGE, "fieldSet": self.fieldSet,
                "timeout": 60,
            }
            if token:
                parameters["continuation"] = token
            try:
                async with self.session.get(self.visit, params=parameters, headers={"Accept": "application/jsonl"}) as answer:
                    body = await answer.read()
                    if answer.status != 200:
                        raise aiohttp.ClientError(f"Vespa answered {answer.status}: {body[:200]}")
                documents, next, finished = self.page(body)
                if next == token and not finished:
                    raise aiohttp.ClientError("the visit makes no progress")
            except (aiohttp.ClientError, asyncio.TimeoutError) as problem:
                attempt += 1
                if attempt == ATTEMPTS:
                    raise
                print(f"slice {number}: {problem}", file=sys.stderr)
                await backoff(attempt)
                continue
            attempt, token = 0, next
            await self.keep(number, documents, token, finished)

    def page(self, body):
        """The page's documents, the token behind them, and whether the slice is at its end."""
        loads, mapped = orjson.loads, self.mapped
        documents, safe, token, finished = [], 0, None, False
        for line in body.split(b"\n"):
            if not line:
                continue
            try:
                entry = loads(line)
            except orjson.JSONDecodeError:
                break  # cut off: go on behind the last token
            fields = entry.get("fields")
            if fields is not None:
                documents.append(mapped(fields))
            elif (seen := entry.get("continuation")) is not None:
                safe, token = len(documents), seen.get("token")
                finished = token is None and seen.get("percentFinished", 0) >= 100
            elif "message" in entry:
                break
        del documents[safe:]
        if token is None and not finished:
            raise aiohttp.ClientError("an answer without a continuation")
        return documents, token, finished

    async def keep(self, number, documents, token, finished):
        chunks = []
        for start in range(0, len(documents), CHUNK):
            self.cut(documents[start:start + CHUNK], chunks)
        # The chunks are born in the hands of this process; another one may take them when their time is over.
        until = time.time() + LEASE
        await self.store.commit(
            "INSERT INTO payloads VALUES (?, ?)", [(chunk, body) for chunk, _, body in chunks], extracted=len(documents), more=(
                ("INSERT INTO queue VALUES (?, ?, ?, ?)", [(chunk, count, self.owner, until) for chunk, count, _ in chunks]),
                ("INSERT OR REPLACE INTO slices VALUES (?, ?, ?)", [(number, token, finished)]),
            ),
        )
        for chunk in chunks:
            await self.queue.put(chunk)

    def cut(self, documents, chunks):
        body = orjson.dumps({"documents": documents})
        if len(body) > CHUNK_BYTES and len(documents) > 1:
            middle = len(documents) // 2
            self.cut(documents[:middle], chunks)
            self.cut(documents[middle:], chunks)
        else:
            self.chunk += 1
            chunks.append((self.chunk, len(documents), body))

    # Delivery

    async def deliver(self):
        while True:
            chunk, count, body = await self.queue.get()
            attempt = 1
            while True:
                status, wait = 0, None
                try:
                    async with self.session.post(self.documents, data=body, headers=self.headers) as answer:
                        text = await answer.read()
                        status, wait = answer.status, answer.headers.get("Retry-After")
                        receipt = orjson.loads(text)["job_id"] if status in (200, 202) else None
                    if receipt:
                        await self.accepted(chunk, count, receipt)
                        break
                    reason = f"status {status}: {text[:200]}"
                except (aiohttp.ClientError, asyncio.TimeoutError, KeyError, orjson.JSONDecodeError) as problem:
                    reason = repr(problem)
                if attempt == ATTEMPTS or (400 <= status < 500 and status != 429):
                    await self.bury(chunk, orjson.loads(body)["documents"], {}, reason, count)
                    break
                attempt += status != 429
                await backoff(attempt, wait)
            self.queue.task_done()

    async def accepted(self, chunk, count, receipt):
        await self.store.commit(
            "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?)", [(chunk, receipt, count)], replayed=count,
            more=(("DELETE FROM queue WHERE chunk = ?", [(chunk,)]),),
        )
        self.receipts[chunk] = (receipt, count)

    async def bury(self, chunk, documents, reasons, reason, count):
        """Keeps documents that can't be delivered, and lets go of the chunk, of which `count` are not confirmed."""
        letters = [(chunk, one["_id"], reasons.get(one["_id"], reason), orjson.dumps(one)) for one in documents]
        await self.store.commit(
            "INSERT INTO dead_letters VALUES (?, ?, ?, ?)", letters, dead=len(letters), completed=count - len(letters),
            more=self.gone(chunk),
        )
        self.receipts.pop(chunk, None)

    def gone(self, chunk):
        return tuple((f"DELETE FROM {table} WHERE chunk = ?", [(chunk,)]) for table in ("receipts", "payloads", "queue"))

    # Confirmation

    async def confirm(self):
        while True:
            await asyncio.sleep(POLL)
            open = iter(list(self.receipts.items()))
            await asyncio.gather(*(self.ask(open) for _ in range(CONFIRMATIONS)))

    async def ask(self, open):
        for chunk, (receipt, count) in open:
            try:
                async with self.session.get(self.jobs + receipt, headers=self.headers) as answer:
                    text = await answer.read()
                    job = orjson.loads(text) if answer.status == 200 else {}
            except (aiohttp.ClientError, asyncio.TimeoutError, orjson.JSONDecodeError):
                continue
            status, failed = job.get("status"), job.get("failedItems")
            if status == "COMPLETED" and not failed:
                # Not waited for: the next commit takes them along, and until then the job counts as open.
                asyncio.ensure_future(self.confirmed(chunk, count))
            elif status in ("COMPLETED", "FAILED"):
                body = self.store.database.execute("SELECT body FROM payloads WHERE chunk = ?", (chunk,)).fetchone()[0]
                if status == "FAILED":
                    self.receipts.pop(chunk)
                    await self.queue.put((chunk, count, body))
                    continue
                reasons = {item["_id"]: item.get("error", "failed") for item in failed}
                documents = [one for one in orjson.loads(body)["documents"] if one["_id"] in reasons]
                await self.bury(chunk, documents, reasons, "failed", count)

    async def confirmed(self, chunk, count):
        gone = self.gone(chunk)
        await self.store.commit(*gone[0], completed=count, more=gone[1:2])
        self.receipts.pop(chunk, None)


async def backoff(attempt, after=None):
    least = float(after) if after and after.isdigit() else 0
    await asyncio.sleep(max(least, random.uniform(0, min(60, 0.5 * 2 ** (attempt - 1)))))


async def main():
    # Documents are trees: the collector finds nothing in them, however often it looks.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    extracted, replayed, completed, dead = await Reindex(*sys.argv[1:]).run()
    print(json.dumps({"extracted": extracted, "replayed": replayed, "completed": completed, "dead_lettered": dead}))


if __name__ == "__main__":
    uvloop.run(main())
