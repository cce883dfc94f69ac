#!/usr/bin/env python3
"""Writes Tests/Drivers/AWS/BotocoreVectors.swift: awkward requests, and how botocore signs them.

Run it where botocore is installed, such as `python3 -m venv .venv-vectors && .venv-vectors/bin/pip install botocore==1.43.11
&& .venv-vectors/bin/python Scripts/aws_vectors.py`. With the same botocore it writes the same file.
"""

import datetime
import json
import pathlib
from urllib.parse import quote, urlsplit

import botocore
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Drivers" / "AWS" / "BotocoreVectors.swift"
MOMENT = datetime.datetime(2026, 2, 28, 23, 59, 59, tzinfo=datetime.timezone.utc)
STAYING = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
SESSION = ("ASIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEA==/+token//with+signs==")

KEYS = [
    "plain", "a b", " leading and trailing ", "a+b", "a%2Fb", "a%b", "100%", "//", "a//b", "/leading", "trailing/", "./a/../b",
    "..", "a/./b", "ünïcödé/日本語", "e\u0301", "😀", "tilde~dash-dot.under_", "!*'();:@&=$,?#[]", "\"<>\\^`{|}", "a\tb", "\x7f",
    "x" * 1024, "exports/2024/05/part-000001/file 1.json.gz",
]
QUERIES = [
    [], [("acl", "")], [("list-type", "2"), ("prefix", "a b/ü+%2F"), ("delimiter", "/")], [("a", "2"), ("a", "1"), ("a", "")],
    [("b", "1"), ("a", "2"), ("B", "3"), ("A", "4")], [("a-b", "1"), ("a", "1"), ("a.b", "1"), ("aa", "1")],
    [("ü", "ü"), ("%", "%"), ("+", "+"), (" ", " "), ("=", "="), ("&", "&"), ("", "no name")], [("Action", "GetCallerIdentity")],
]
HEADERS = [
    [], [("X-Amz-Meta-Note", "  spaces   at  the ends  ")], [("x-amz-meta-a", "1"), ("X-Amz-Meta-A", "2"), ("X-AMZ-META-B", "")],
    [("X-Amz-Meta-Quoted", "\"a  b\"   c")], [("X-Amz-Meta-Umlaut", "ü ñ 日本")], [("Content-Type", "application/x-amz-json-1.0")],
    [("User-Agent", "nobody"), ("Expect", "100-continue"), ("X-Amzn-Trace-Id", "x"), ("Range", "bytes=0-9")],
    [("X-Amz-Meta-Tab", "a\t\tb")],
]
BODIES = ["", "{}", "Action=GetCallerIdentity&Version=2011-06-15", "ü" * 300]


def signed(case, auth, headers):
    key, secret, token = SESSION if case["session"] else STAYING
    url = f"https://{case['host']}{case['path']}"
    query = [tuple(pair) for pair in case["query"]]
    request = AWSRequest(case["method"], url, data=case["body"].encode(), params=dict(query) if "expiry" in case else query)
    for name, value in headers:
        request.headers.add_header(name, value)
    if case["unsigned"]:
        request.context["payload_signing_enabled"] = False
        request.context["client_config"] = type("Config", (), {"s3": {"payload_signing_enabled": False}})()
    if case.get("trailer"):
        request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    extra = {"expires": case["expiry"]} if "expiry" in case else {}
    auth(Credentials(key, secret, token), case["service"], case["region"], **extra).add_auth(request)
    return request


def by_headers(**case):
    case = {"method": "GET", "query": [], "headers": [], "body": "", "session": False, "unsigned": False, **case}
    auth = botocore.auth.S3SigV4Auth if case["service"] == "s3" else botocore.auth.SigV4Auth
    case["authorization"] = signed(case, auth, case["headers"]).headers["Authorization"]
    return case


def by_query(**case):
    case = {"method": "GET", "query": [], "headers": [], "body": "", "session": False, "unsigned": False, **case}
    auth = botocore.auth.S3SigV4QueryAuth if case["service"] == "s3" else botocore.auth.SigV4QueryAuth
    url = signed(case, auth, case["headers"]).url
    case["signature"] = url.rpartition("X-Amz-Signature=")[2]
    # The same parameters in the order in which they are signed.
    case["sorted"] = "&".join(sorted(urlsplit(url).query.split("&")[:-1], key=lambda pair: pair.partition("=")))
    return case


def object_path(key):
    return "/" + quote(key, safe="/~")


def cases():
    s3 = {"service": "s3", "region": "eu-west-1", "host": "bucket.s3.eu-west-1.amazonaws.com"}
    for number, key in enumerate(KEYS):
        place = {**s3, "key": key, "path": object_path(key)}
        yield by_headers(**place, session=number % 2 == 1)
        yield by_query(**place, expiry=3600, session=number % 2 == 0)
    for number, query in enumerate(QUERIES):
        yield by_headers(**s3, path="/", query=query, session=number % 2 == 0)
        if len(dict(query)) == len(query):
            yield by_query(**s3, path="/a%20b", query=query, expiry=1 + 604799 * (number % 2), method="PUT")
        if number < 6:
            yield by_headers(service="execute-api", region="us-east-1", host="api.example.com:8443", path="/", query=query)
    for number, headers in enumerate(HEADERS):
        place = {"path": "/key", "headers": headers, "method": "PUT", "body": BODIES[number % 4]}
        yield by_headers(**s3, **place)
        yield by_headers(**s3, **place, unsigned=True, session=True)
    for session in [False, True]:
        yield by_headers(**s3, path="/key", method="PUT", trailer=True, session=session)
    for body in BODIES:
        dynamo = {"service": "dynamodb", "region": "us-east-1", "host": "dynamodb.us-east-1.amazonaws.com", "path": "/"}
        headers = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "DynamoDB_20120810.UpdateItem")]
        yield by_headers(**dynamo, method="POST", headers=headers, body=body, session=bool(body))
        yield by_headers(**dynamo, method="POST", headers=headers, body=body, unsigned=True)
    for path in ["/", "/a/b", "/a//b", "/a/./b/../c", "/a/..", "/a%20b", "/%C3%BC", "/2015-03-31/functions/arn%3Aaws%3Alambda/x/", "/~a"]:
        yield by_headers(service="lambda", region="us-east-1", host="lambda.us-east-1.amazonaws.com", path=path)
    # What Kubernetes on EKS takes for a token.
    yield by_query(
        service="sts", region="eu-west-1", host="sts.eu-west-1.amazonaws.com", path="/", expiry=60, session=True,
        query=[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")], headers=[("x-k8s-aws-id", "my-cluster")],
    )


def main():
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: MOMENT.replace(tzinfo=None)
    lines = [json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in cases()]
    assert not any('"""#' in line for line in lines)
    def keys(named):
        return ", ".join(f'"{text}"' for text in named if text)


    table = "\n".join(f"        {line}" for line in lines)
    OUTPUT.write_text(
        f"""// How botocore signs awkward requests, made by a script and not by hand.
// swift-format-ignore-file

/// Written by Scripts/aws_vectors.py with botocore {botocore.__version__}: one case a line, as JSON.
enum BotocoreVectors {{
    /// When all of them were signed.
    static let moment = "{MOMENT:%Y-%m-%dT%H:%M:%SZ}"
    /// Access key id, secret access key, session token.
    static let staying = [{keys(STAYING)}]
    static let session = [{keys(SESSION)}]

    static let lines = #\"\"\"
{table}
        \"\"\"#
}}
""",
        encoding="utf-8",
    )
    print(f"{len(lines)} cases")


main()
