"""The scanner's work done with orjson: find and check _id, drop or keep fields, write again.

Usage: scan_orjson.py DOCS.ndjson drop|keep|whole [--compare SLUICE.ndjson]
"""
import json
import statistics
import sys
import time

import orjson

KEEP = ("_id", "title", "price", "stock", "tags")
DROP = ("_rid", "_etag", "_ts", "_attachments", "audit")


def checked(text):
    record = orjson.loads(text)
    ident = record["_id"]
    if not (type(ident) is str and ident or type(ident) is int):
        raise ValueError("no usable _id")
    return record


def whole(text):
    return orjson.dumps(checked(text))


def keep(text):
    record = checked(text)
    return orjson.dumps({name: record[name] for name in KEEP if name in record})


def drop(text):
    record = checked(text)
    for name in DROP:
        record.pop(name, None)
    customer = record.get("customer")
    if customer:
        customer.pop("email", None)
        customer.pop("phone", None)
    for line in record.get("lines", ()):
        line.pop("internal", None)
    return orjson.dumps(record)


def seconds(work, texts, rounds=5, round_seconds=0.5):
    def once():
        for text in texts:
            work(text)

    once()
    results = []
    for _ in range(rounds):
        start, runs = time.process_time(), 0
        while True:
            once()
            runs += 1
            spent = time.process_time() - start
            if spent >= round_seconds:
                break
        results.append(spent / runs)
    return statistics.median(results)


def main():
    work = {"drop": drop, "keep": keep, "whole": whole}[sys.argv[2]]
    texts = open(sys.argv[1], "rb").read().splitlines()
    if "--compare" in sys.argv:
        ours = open(sys.argv[sys.argv.index("--compare") + 1], "rb").read().splitlines()
        assert len(ours) == len(texts), "another number of records"
        for text, our in zip(texts, ours):
            assert orjson.loads(work(text)) == orjson.loads(our), our
        print(f"{sys.argv[2]}: {len(ours)} records are the same on both sides", file=sys.stderr)
        return
    spent = seconds(work, texts)
    total = sum(map(len, texts))
    print(json.dumps({
        "side": f"orjson {orjson.__version__}", "work": sys.argv[2], "records": len(texts),
        "recordsPerCPUSecond": int(len(texts) / spent), "megabytesPerCPUSecond": int(total / spent / 1e6),
        "bytesIn": total, "bytesOut": sum(len(work(text)) for text in texts),
    }, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
