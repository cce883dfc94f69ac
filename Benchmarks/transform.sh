#!/bin/sh
# Measures the Marqo transform against orjson and Foundation doing the same, in turn in one sitting, and prints ratios of medians.
# Usage: Benchmarks/transform.sh [SITTINGS=3]
set -eu
cd "$(dirname "$0")"
sittings=${1:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --requirement peers/requirements.txt
swift build --configuration release --static-swift-stdlib --product transform 1>&2
transform=$(swift build --configuration release --show-bin-path)/transform

for kind in structured unstructured semi-structured; do
    for floats in 0 768; do
        docs=$work/$kind-$floats
        "$transform" dump "$kind" $((floats > 0 ? 800 : 4000)) "$floats" "$docs" 1>&2
        "$transform" run "$kind" "$docs" --write "$work/out.ndjson"
        .venv/bin/python peers/transform_orjson.py "$kind" "$docs" --compare "$work/out.ndjson"
        label=$kind$([ "$floats" = 0 ] || echo " with $floats floats")
        sitting=0
        while [ "$sitting" -lt "$sittings" ]; do
            "$transform" run "$kind" "$docs" --label "$label"
            .venv/bin/python peers/transform_orjson.py "$kind" "$docs" --label "$label"
            sitting=$((sitting + 1))
        done | tee -a "$work/results"
        "$transform" foundation "$kind" "$docs" --label "$label" | tee -a "$work/results"
    done
done
.venv/bin/python peers/transform_ratio.py "$work/results"
