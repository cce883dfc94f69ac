#!/bin/sh
# Measures the record scanner against orjson, both sides in turn in one sitting, and prints the ratio of their medians.
# Usage: Benchmarks/scan.sh [SITTINGS=3]
set -eu
cd "$(dirname "$0")"
sittings=${1:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --requirement peers/requirements.txt
swift build --configuration release --static-swift-stdlib --product scan 1>&2
scan=$(swift build --configuration release --show-bin-path)/scan
.venv/bin/python peers/gen_docs.py "$work/docs.ndjson"

for kind in drop keep whole; do
    "$scan" "$work/docs.ndjson" "$kind" --write "$work/out.ndjson" >/dev/null
    .venv/bin/python peers/scan_orjson.py "$work/docs.ndjson" "$kind" --compare "$work/out.ndjson"
    sitting=0
    while [ "$sitting" -lt "$sittings" ]; do
        "$scan" "$work/docs.ndjson" "$kind"
        .venv/bin/python peers/scan_orjson.py "$work/docs.ndjson" "$kind"
        sitting=$((sitting + 1))
    done | tee -a "$work/results"
done
.venv/bin/python peers/ratio.py "$work/results"
