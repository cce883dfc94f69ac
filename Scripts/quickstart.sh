#!/usr/bin/env bash
# Reindexes 100,000 products of all three kinds of index from a stand-in Vespa into a stand-in Ecommerce API, with one
# request in a hundred going wrong, and compares what arrived with what was there. Everything is made in a folder of its
# own, which is removed at the end; KEEP=1 keeps it. With WORKERS=2 two workers of their own do it, and one is killed midway.
# Usage: make quickstart, or Scripts/quickstart.sh PATH-TO-SLUICE [DOCUMENTS]
set -euo pipefail

sluice=$(realpath "${1:?name the sluice program}")
documents=${2:-100000}
work=$(mktemp -d -t sluice-quickstart.XXXXXX)
export SLUICE_DATABASE=$work/sluice.db SLUICE_ECOMMERCE_API_KEY=quickstart
kinds=(structured unstructured semi-structured)
started=()

say() { printf '\n== %s\n' "$*"; }
die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

finish() {
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    for process in "${started[@]}"; do wait "$process" 2>/dev/null || true; done
    if [ "${KEEP:-}" = 1 ]; then echo "Files are kept in $work"; else rm -rf "$work"; fi
}
trap finish EXIT

# Starts a stand-in and leaves its URL in the variable `url`.
stand_in() {
    "$sluice" stand-in "$@" >"$work/$1.url" 2>"$work/$1.log" &
    started+=("$!")
    for _ in $(seq 100); do
        url=$(head -n 1 "$work/$1.url")
        [ -z "$url" ] || return 0
        kill -0 "$!" 2>/dev/null || die "the stand-in did not start: $(cat "$work/$1.log")"
        sleep 0.1
    done
    die "the stand-in of $1 does not answer"
}

say "Stand-ins: Vespa with $documents products, the Ecommerce API; one request in a hundred goes wrong"
stand_in vespa --documents "$documents" --fault-rate 0.01 --seed 7
export SLUICE_VESPA_URL=vespa+$url
echo "$SLUICE_VESPA_URL"
stand_in ecommerce --fault-rate 0.01 --seed 7
export SLUICE_ECOMMERCE_URL=ecommerce+$url/api/v1
echo "$SLUICE_ECOMMERCE_URL"
stats=$url/stand-in/stats

say "Index records: what kind each index is, what its fields are, whose shop it is"
fields=()
while read -r field; do fields+=(--field "$field"); done < <("$sluice" stand-in vespa --show-fields)
"$sluice" index set products-structured --account demo --type structured --shop-id shop-1 "${fields[@]}" >/dev/null
"$sluice" index set products-unstructured --account demo --type unstructured --marqo-version 2.5 --shop-id shop-1 >/dev/null
"$sluice" index set products-semi-structured --account demo --type unstructured --marqo-version 2.16 --shop-id shop-1 >/dev/null
"$sluice" index list

say "A dry run first: what would be sent?"
"$sluice" reindex start --account demo --index products-semi-structured --dry-run --sample 50 --rate 10000

# Does a job in processes of their own, and kills one of them as soon as records have been completed.
with_workers() {
    local job workers=()
    job=$("$sluice" reindex start --account demo --index "products-$1")
    echo "$job" >"$work/$1.job"
    for _ in $(seq "$WORKERS"); do
        "$sluice" worker --until-idle 2>"$work/worker.log" &
        workers+=("$!")
        started+=("$!")
    done
    until "$sluice" job show "$job" --format json | grep -q '"completed_doc_count": [1-9]'; do sleep 0.2; done
    kill -9 "${workers[0]}" && echo "one of $WORKERS workers was killed"
    "$sluice" job watch "$job"
    for process in "${workers[@]:1}"; do wait "$process"; done
}

begun=$SECONDS
for kind in "${kinds[@]}"; do
    say "Reindexing products-$kind, 8 slices"
    if [ -n "${WORKERS:-}" ]; then
        with_workers "$kind"
    else
        "$sluice" reindex start --account demo --index "products-$kind" --wait --format json >"$work/$kind.json"
        sed -n 's/^ *"reindex_id": "\(.*\)".*/\1/p' "$work/$kind.json" >"$work/$kind.job"
    fi
done
took=$((SECONDS - begun))

say "The books of the three jobs"
"$sluice" job list

for kind in "${kinds[@]}"; do
    say "Verifying products-$kind: every document, field by field"
    "$sluice" job verify "$(cat "$work/$kind.job")" --format json >"$work/$kind.verified" \
        || die "products-$kind is not as it should be: $(cat "$work/$kind.verified")"
    tr -d '\n' <"$work/$kind.verified" | sed 's/  */ /g; s/$/\n/'
done

say "What the stand-in of the Ecommerce API met"
curl --silent "$stats" | tee "$work/stats.json"
echo

say "Proven in $SECONDS s, of which reindexing took $took: $documents products arrived as they were, and the books balance."
