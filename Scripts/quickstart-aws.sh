#!/usr/bin/env bash
# The quickstart with its jobs, queues and books on AWS: an emulator of DynamoDB, SQS and S3 is started, tables, queues and
# bucket are made in it, and the reindex runs against it, whose worker is killed once midway. Everything is made in a folder
# of its own, which is removed at the end; KEEP=1 keeps it.
# Usage: make quickstart-aws, or Scripts/quickstart-aws.sh PATH-TO-SLUICE [DOCUMENTS]
set -euo pipefail

here=$(dirname "$(realpath "$0")")
sluice=$(realpath "${1:?name the sluice program}")
documents=${2:-20000}
cloud=$(mktemp -d -t sluice-cloud.XXXXXX)

finish() {
    exec 9>&-
    wait "$emulator" 2>/dev/null || true
    if [ "${KEEP:-}" = 1 ]; then echo "Files of the emulator are kept in $cloud"; else rm -rf "$cloud"; fi
}

"$here/emulator.py" --prepare
printf '\n== An emulator of AWS, which has lost everything once it ends\n'
# It ends with its standard input, so that it can't outlive this script.
mkfifo "$cloud/lifeline"
exec 9<>"$cloud/lifeline"
"$here/emulator.py" <"$cloud/lifeline" >"$cloud/url" 2>"$cloud/log" 9>&- &
emulator=$!
trap finish EXIT
for _ in $(seq 300); do
    [ ! -s "$cloud/url" ] || break
    kill -0 "$emulator" 2>/dev/null || { cat "$cloud/log" >&2; exit 1; }
    sleep 0.1
done
export AWS_ENDPOINT_URL SLUICE_BACKEND=aws SLUICE_AWS_BUCKET=sluice-quickstart AWS_REGION=us-east-1
AWS_ENDPOINT_URL=$(cat "$cloud/url")
export AWS_ACCESS_KEY_ID=quickstart AWS_SECRET_ACCESS_KEY=quickstart
unset AWS_PROFILE AWS_SESSION_TOKEN
# A minute is right for a bill, not for somebody who waits; and a killed worker's slices are free after a lease.
export SLUICE_CONFIRM_INTERVAL_SECONDS=1 SLUICE_LEASE_SECONDS=3 SLUICE_VISIBILITY_SECONDS=5 SLUICE_TICK_SECONDS=1
echo "$AWS_ENDPOINT_URL"

printf '\n== Tables, queues and a bucket\n'
"$sluice" tables create 2>/dev/null
"$sluice" doctor >"$cloud/doctor" || { cat "$cloud/doctor"; exit 1; }

WORKERS=2 "$here/quickstart.sh" "$sluice" "$documents" 9>&-

printf '\n== What the queues hold now\n'
"$sluice" queue depth
