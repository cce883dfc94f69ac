#!/bin/sh
# Measures whole jobs: what a record costs from a file to nowhere, small and large, and how soon a killed job goes on.
# Usage: Benchmarks/job.sh [LARGE=1000000 records] [SITTINGS=3]      needs 1.8 GB of disk per million records
set -eu
cd "$(dirname "$0")"
large=${1:-1000000}
sittings=${2:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --requirement peers/requirements.txt
make --directory .. build 1>&2
sluice=$(swift build --package-path .. --configuration release --show-bin-path)/sluice

# One set of documents again and again, each time under other ids.
.venv/bin/python peers/gen_docs.py "$work/docs.ndjson" 20000 >&2
repeat() {
    part=0
    while [ "$part" -lt $(($1 / 20000)) ]; do
        sed "s/^{\"_id\":\"/&$part-/" "$work/docs.ndjson"
        part=$((part + 1))
    done
}
repeat 100000 >"$work/small.jsonl"
repeat "$large" >"$work/large.jsonl"

sitting=0
while [ "$sitting" -lt "$sittings" ]; do
    ./measure.py cost "$sluice" "$work/small.jsonl" 100000
    ./measure.py cost "$sluice" "$work/large.jsonl" "$large"
    .venv/bin/python peers/scan_orjson.py "$work/docs.ndjson" whole
    ./measure.py resume "$sluice" "$work/small.jsonl"
    sitting=$((sitting + 1))
done | tee "$work/results"
.venv/bin/python peers/job_ratio.py "$work/results"
