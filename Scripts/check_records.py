#!/usr/bin/env python3
"""Compares two JSON Lines files record by record, whatever their order: the same records, byte for byte, once each.

    Scripts/check_records.py INPUT OUTPUT [--job JOB.json]

With --job also prints the job's balance sheet and checks that it balances and counts what the files hold. Ends with 1 and
names the first records that are lost, changed, repeated or made up.
"""

import argparse
import json
import sys

SHOWN = 5
ENDS = ["skipped", "in_flight", "awaiting", "dead_lettered", "completed"]


def records(path):
    """The id and the bytes of each line."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                sys.exit(f"check_records: {path} ends in the middle of line {number}")
            try:
                yield json.loads(line)["_id"], line
            except (ValueError, KeyError, TypeError) as error:
                sys.exit(f"check_records: line {number} of {path} is no record: {error!r}")


def compare(input_path, output_path):
    """How many records the input has, and what is wrong with the output."""
    wanted = {}
    for ident, line in records(input_path):
        if wanted.setdefault(ident, line) is not line:
            sys.exit(f"check_records: {input_path} has the id {ident} twice, which this check can't tell apart")
    wrong = {"changed": [], "repeated": [], "not in the input": []}
    found = set()
    for ident, line in records(output_path):
        if ident not in wanted:
            wrong["not in the input"].append(ident)
        elif ident in found:
            wrong["repeated"].append(ident)
        elif wanted[ident] != line:
            wrong["changed"].append(ident)
        found.add(ident)
    wrong["lost"] = [ident for ident in wanted if ident not in found]
    return len(wanted), {name: idents for name, idents in wrong.items() if idents}


def check_books(path, count):
    """Prints the balance sheet of a job's record; the reason why it is wrong, or nothing."""
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    sheet = {name: job.get(f"{name}_doc_count", 0) for name in ["extracted", *ENDS, "replayed", "redelivered"]}
    width = max(map(len, sheet))
    print(f"Balance sheet of job {job['reindex_id']}, {job['job_status']}:")
    print(f"  {'extracted':{width}}  {sheet['extracted']:>9}")
    for name in ENDS:
        print(f"  {'= ' if name == ENDS[0] else '+ '}{name.replace('_', '-'):{width - 2}}  {sheet[name]:>9}")
    print(f"  {'redelivered':{width}}  {sheet['redelivered']:>9}")
    if sheet["extracted"] != sum(sheet[name] for name in ENDS):
        return "the balance sheet does not balance"
    if job["job_status"] != "completed":
        return f"the job is {job['job_status']}, not completed"
    if sheet["completed"] != count:
        return f"the books have {sheet['completed']} completed records, the input holds {count}"
    return None


def main():
    parser = argparse.ArgumentParser(description="Compares two JSON Lines files record by record.")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--job", help="a job's record, as `sluice job show --format json` prints it")
    options = parser.parse_args()

    count, wrong = compare(options.input, options.output)
    problem = check_books(options.job, count) if options.job else None
    for name, idents in wrong.items():
        more = f" and {len(idents) - SHOWN} more" if len(idents) > SHOWN else ""
        print(f"check_records: {len(idents)} {name}: {', '.join(map(str, idents[:SHOWN]))}{more}", file=sys.stderr)
    if problem:
        print(f"check_records: {problem}", file=sys.stderr)
    if wrong or problem:
        sys.exit(1)
    print(f"{count} records compared: each is in the output once, byte for byte, and nothing else is.")


main()
