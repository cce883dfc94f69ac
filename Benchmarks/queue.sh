#!/bin/sh
# Measures the SQLite queue against huey and persist-queue, all sides in turn in one sitting, and prints the ratios.
# Usage: Benchmarks/queue.sh [SITTINGS=3]      BENCH_DIR: where the files are made (default /tmp)
set -eu
cd "$(dirname "$0")"
sittings=${1:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --requirement peers/requirements.txt
swift build --configuration release --static-swift-stdlib --product queue 1>&2
queue=$(swift build --configuration release --show-bin-path)/queue

sitting=0
while [ "$sitting" -lt "$sittings" ]; do
    "$queue" 256 50000 100 full
    .venv/bin/python peers/queue_peers.py 256 2000
    "$queue" 180000 500 10 full
    .venv/bin/python peers/queue_peers.py 180000 200
    sitting=$((sitting + 1))
done | tee "$work/results"
.venv/bin/python peers/queue_ratio.py "$work/results"
