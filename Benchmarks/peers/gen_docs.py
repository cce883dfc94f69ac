"""Product and order records for the benchmarks; the same seed makes the same file.

Usage: gen_docs.py OUT.ndjson [COUNT=4000] [SEED=1]
One record a line, 1.0 to 2.6 KB, about 1.8 KB on average; nested objects, arrays of objects, escapes, floats and nulls;
about a quarter of the words are not ASCII. What the "drop" work removes: _rid, _etag, _ts, _attachments, audit,
customer.email, customer.phone and lines.internal.
"""
import json
import random
import sys

PLAIN = ["alpine", "bottle", "cotton", "drill", "evening", "fabric", "garden", "quote\"d", "back\\slash", "tab\tbed", "made of wood",
         "ivory"]
OTHER = ["größer", "crème", "日本製", "naïve"]
SIZES = (1000, 2600)


def words(chance, count):
    return " ".join(chance.choice(OTHER if chance.random() < 0.25 else PLAIN) for _ in range(count))


def line(chance):
    return {
        "sku": f"S-{chance.randrange(10**5):05d}",
        "qty": chance.randrange(1, 9),
        "price": round(chance.random() * 99, 2),
        "title": words(chance, chance.randrange(2, 6)),
        "internal": {"cost": round(chance.random() * 50, 4), "bin": f"{chance.getrandbits(24):06x}"},
    }


def attribute(chance):
    return chance.choice([words(chance, 1), chance.randrange(10**6), chance.random(), True, None])


def record(chance, number):
    return {
        "_id": f"product-{number:08d}",
        "_rid": f"{chance.getrandbits(128):032x}",
        "_etag": f'"{chance.getrandbits(32):08x}"',
        "_ts": 1700000000 + number,
        "_attachments": "attachments/",
        "title": words(chance, chance.randrange(3, 9)),
        "price": round(chance.random() * 1000, 2),
        "stock": chance.randrange(500),
        "active": chance.random() < 0.9,
        "createdAt": f"2024-05-{chance.randrange(1, 28):02d}T10:{chance.randrange(60):02d}:00.123Z",
        "note": None if chance.random() < 0.5 else words(chance, chance.randrange(3, 20)),
        "customer": {
            "id": f"c-{chance.randrange(10**6):06d}",
            "name": words(chance, 2),
            "email": f"c{number}@example.com",
            "phone": f"+49 30 {chance.randrange(10**7):07d}",
            "address": {
                "street": words(chance, 3),
                "city": chance.choice(["Köln", "Paris", "Osaka", "Leeds"]),
                "geo": [chance.uniform(-90, 90), chance.uniform(-180, 180)],
            },
        },
        "lines": [line(chance) for _ in range(chance.randrange(4, 14))],
        "tags": [words(chance, 1) for _ in range(chance.randrange(0, 8))],
        "attributes": {f"k{n}": attribute(chance) for n in range(chance.randrange(2, 14))},
        "audit": {
            "by": "svc-import",
            "at": 1700000000.25 + number,
            "trail": [f"{chance.getrandbits(64):016x}" for _ in range(chance.randrange(1, 6))],
        },
    }


def main():
    path = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    sizes = []
    with open(path, "w", encoding="utf-8") as file:
        while len(sizes) < count:
            text = json.dumps(record(chance, len(sizes)), ensure_ascii=False, separators=(",", ":"))
            size = len(text.encode())
            if SIZES[0] <= size <= SIZES[1]:
                sizes.append(size)
                file.write(text + "\n")
    print(f"{count} records of {min(sizes)} to {max(sizes)} bytes, {sum(sizes) // count} on average", file=sys.stderr)


if __name__ == "__main__":
    main()
