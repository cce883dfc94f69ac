"""Presigned GET URLs of S3 for each second of CPU, by boto3 and by hand. The same keys as the benchmark aws.

Usage: aws_presign.py COUNT                            One JSON line for each side
       aws_presign.py COUNT --compare SECONDS URLS     whether all sides make the URLs of that file for that moment
"""
import datetime
import hashlib
import hmac
import json
import re
import statistics
import sys
import time
from urllib.parse import quote

import boto3
import botocore.auth
import botocore.config

COUNT = int(sys.argv[1])
ACCESS_KEY, SECRET, REGION, BUCKET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "examplebucket"
KEYS = [f"exports/2024/05/part-{number:06d}/file {number}.json.gz" for number in range(COUNT)]
ROUNDS, ROUND_SECONDS = 5, 0.5
SERVICE = boto3.client(
    "s3", region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET,
    config=botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
)


def by_boto3():
    presign = SERVICE.generate_presigned_url
    return [presign("get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=3600) for key in KEYS]


RESERVED = re.compile(r"[^A-Za-z0-9_.~/-]").sub
ESCAPED = {chr(byte): f"%{byte:02X}" for byte in range(128)}


def escaped(key):
    # One pass that stops only at what has to be escaped takes a third of the time of quote().
    return RESERVED(lambda found: ESCAPED[found[0]], key) if key.isascii() else quote(key)


def by_hand(moment=None):
    """The fastest that we know how to write: all that URLs share is made once, and HMAC is two digests that are copied."""
    moment = moment or datetime.datetime.now(datetime.timezone.utc)
    day, stamp = moment.strftime("%Y%m%d"), moment.strftime("%Y%m%dT%H%M%SZ")
    key = ("AWS4" + SECRET).encode()
    for word in (day, REGION, "s3", "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    scope = f"{day}/{REGION}/s3/aws4_request"
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={quote(f'{ACCESS_KEY}/{scope}', safe='')}&X-Amz-Date={stamp}"
        "&X-Amz-Expires=3600&X-Amz-SignedHeaders=host"
    )
    host = f"{BUCKET}.s3.amazonaws.com"
    tail = f"\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    origin, rest = f"https://{host}/", f"?{query}&X-Amz-Signature="
    sha256 = hashlib.sha256
    block = key.ljust(64, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in block) + f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n".encode()).copy
    outer = sha256(bytes(byte ^ 0x5C for byte in block)).copy
    urls = []
    for key in KEYS:
        path = escaped(key)
        signed = inner()
        signed.update(sha256(f"GET\n/{path}{tail}".encode()).hexdigest().encode())
        signature = outer()
        signature.update(signed.digest())
        urls.append(f"{origin}{path}{rest}{signature.hexdigest()}")
    return urls


def by_hand_plainly(moment=None):
    """As one writes it at first: the key is kept, quote() escapes, hmac.digest signs."""
    moment = moment or datetime.datetime.now(datetime.timezone.utc)
    day, stamp = moment.strftime("%Y%m%d"), moment.strftime("%Y%m%dT%H%M%SZ")
    key = ("AWS4" + SECRET).encode()
    for word in (day, REGION, "s3", "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    scope = f"{day}/{REGION}/s3/aws4_request"
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={quote(f'{ACCESS_KEY}/{scope}', safe='')}&X-Amz-Date={stamp}"
        "&X-Amz-Expires=3600&X-Amz-SignedHeaders=host"
    )
    host = f"{BUCKET}.s3.amazonaws.com"
    urls = []
    for name in KEYS:
        path = "/" + quote(name)
        request = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        urls.append(f"https://{host}{path}?{query}&X-Amz-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}")
    return urls


def compare(moment, path):
    ours = open(path).read().splitlines()
    # botocore asks this function alone for the time.
    botocore.auth.get_current_datetime = lambda *_: moment.replace(tzinfo=None)
    for side, urls in (("boto3", by_boto3()), ("by hand", by_hand(moment)), ("plainly", by_hand_plainly(moment))):
        # boto3 orders a query differently, which its signature does not see.
        different = [(our, url) for our, url in zip(ours, urls, strict=True) if parts(our) != parts(url)]
        assert not different, (side, different[0])
    print(f"presign: {len(ours)} URLs are the same on all sides", file=sys.stderr)


def parts(url):
    path, query = url.split("?")
    return path, sorted(query.split("&"))


def measure(side, work):
    work()
    rates = []
    for _ in range(ROUNDS):
        begun, runs = time.process_time(), 0
        while runs == 0 or time.process_time() - begun < ROUND_SECONDS:
            work()
            runs += 1
        rates.append(runs * COUNT / (time.process_time() - begun))
    print(json.dumps({"side": side, "work": "presigned URLs", "perCPUSecond": int(statistics.median(rates))}), flush=True)


if len(sys.argv) == 5:
    compare(datetime.datetime.fromtimestamp(int(sys.argv[3]), datetime.timezone.utc), sys.argv[4])
else:
    measure("boto3", by_boto3)
    measure("Python by hand", by_hand)
    measure("Python by hand, plainly", by_hand_plainly)
