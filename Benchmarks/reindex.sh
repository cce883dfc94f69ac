#!/bin/sh
# Measures whole reindexing jobs, Vespa's stand-in to confirmed, against two Python pipelines doing the same; then a hard capacity.
# Usage: Benchmarks/reindex.sh [LARGE=2000000 documents] [SITTINGS=3]      SLUICE: a release build, else it is built
set -eu
cd "$(dirname "$0")"
large=${1:-2000000}
sittings=${2:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --requirement peers/requirements.txt --requirement peers/requirements-reindex.txt
# The emulator of AWS wants other versions of the same packages.
[ -x .venv-emulator/bin/python ] || python3 -m venv .venv-emulator
.venv-emulator/bin/python -m pip install --quiet --requirement peers/requirements-emulator.txt
if [ -z "${SLUICE:-}" ]; then
    make --directory .. build 1>&2
    SLUICE=$(swift build --package-path .. --configuration release --show-bin-path)/sluice
fi

for kind in structured unstructured semi-structured; do ./measure_reindex.py same "$SLUICE" 2000 "$kind"; done
sitting=0
while [ "$sitting" -lt "$sittings" ]; do
    for kind in structured unstructured semi-structured; do
        ./measure_reindex.py sluice "$SLUICE" 100000 "$kind"
        ./measure_reindex.py tuned "$SLUICE" 100000 "$kind"
    done
    ./measure_reindex.py source-shape "$SLUICE" 3000
    ./measure_reindex.py sluice "$SLUICE" "$large"
    sitting=$((sitting + 1))
done | tee "$work/results"
.venv/bin/python peers/reindex_ratio.py "$work/results"
./measure_reindex.py capacity "$SLUICE"
