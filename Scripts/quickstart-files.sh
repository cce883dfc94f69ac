#!/usr/bin/env bash
# Moves this machine's Debian package index with a release build of sluice, kills it midway, resumes it, and checks the
# outcome record by record. Everything is made in a folder of its own, which is removed at the end; KEEP=1 keeps it.
# Usage: make quickstart-files, or Scripts/quickstart-files.sh PATH-TO-SLUICE
set -euo pipefail

sluice=$(realpath "${1:?name the sluice program}")
scripts=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d -t sluice-quickstart.XXXXXX)
export SLUICE_DATABASE=$work/sluice.db
started=()

say() { printf '\n== %s\n' "$*"; }
die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

finish() {
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    if [ "${KEEP:-}" = 1 ]; then echo "Files are kept in $work"; else rm -rf "$work"; fi
}
trap finish EXIT

# A field of the job's record as it is now.
field() { "$sluice" job show "$job" --format json | sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p"; }

say "Records: the Debian package index of this machine"
command -v apt-cache >/dev/null || die "this tour moves Debian's package index and needs apt-cache; see README.md to move a file of yours"
apt-cache dumpavail >"$work/available"
if ! [ -s "$work/available" ]; then
    echo "The index is empty; apt-get update fetches it."
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update --quiet=2
    apt-cache dumpavail >"$work/available"
fi
count=$("$scripts/package_index.py" <"$work/available" 2>&1 >"$work/packages.jsonl")
[ "$count" -gt 1000 ] || die "only $count packages are known here, too few to be killed among; add an archive to apt's sources"
echo "$count records, $(stat --format %s "$work/packages.jsonl") bytes"

# At this rate the whole move takes 20 seconds, so that a kill well before its half can't come too late.
say "First try: 8 slices, $((count / 20)) records a second, and kill -9 when two fifths are done"
"$sluice" reindex start --source "file://$work/packages.jsonl" --sink "file://$work/moved.jsonl" \
    --concurrency 8 --rate "$((count / 20))" --wait --format json >"$work/first.json" &
mover=$!
started+=("$mover")
job=
completed=0
while kill -0 "$mover" 2>/dev/null; do
    # There is no database, and no job in it, before the first moment.
    [ -n "$job" ] || job=$("$sluice" job list --format json 2>/dev/null | sed -n 's/.*"reindex_id": "\([^"]*\)".*/\1/p') || true
    [ -z "$job" ] || completed=$(field completed_doc_count)
    if [ "$completed" -ge "$((count * 2 / 5))" ]; then
        kill -KILL "$mover"
        break
    fi
    sleep 0.1
done
{ wait "$mover"; } 2>/dev/null && die "the move ended before it could be killed" || ended=$?
[ "$ended" = 137 ] || die "the move ended with $ended instead of being killed"
completed=$(field completed_doc_count)
echo "Killed. The books of job $job: $(field job_status), $completed of $count records completed."
[ "$completed" -gt 0 ] && [ "$completed" -lt "$count" ] || die "the kill did not land midway"
! [ -e "$work/moved.jsonl" ] || die "an output stands under its final name although the job is not at its end"

say "Second try: no rate limit, and a worker that goes on from the checkpoints"
"$sluice" job set "$job" --rate unlimited --format json >"$work/set.json"
"$sluice" job watch "$job" &
watcher=$!
started+=("$watcher")
"$sluice" worker --until-idle
wait "$watcher" || die "the job did not complete: $(field job_status), $(field status_reason)"

say "Check: the books, and every record"
"$sluice" job show "$job" --format json >"$work/job.json"
"$scripts/check_records.py" "$work/packages.jsonl" "$work/moved.jsonl" --job "$work/job.json"
kept=$(find "$work" -maxdepth 1 -name 'moved.jsonl.*')
[ -z "$kept" ] || die "left behind: $kept"

say "Proven in $SECONDS s: killed at $completed of $count records and resumed, the output holds exactly the input, and the books balance."
