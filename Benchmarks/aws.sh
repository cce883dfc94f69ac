#!/bin/sh
# Measures the AWS driver against boto3, aiobotocore and Python by hand, all sides in turn in each sitting, and prints ratios.
# Usage: Benchmarks/aws.sh [SITTINGS=5]
# Clients run on the first core, what answers them on the second. On the emulator only the client's CPU tells anything:
# the emulator is slower than any client.
set -eu
cd "$(dirname "$0")"
sittings=${1:-5}
work=$(mktemp -d)
servers=
finish() {
    # Both end with their standard input.
    exec 3>&- 4>&-
    [ -z "$servers" ] || wait $servers
    rm -rf "$work"
}
trap finish EXIT

# aiobotocore wants other versions of the same packages than the other peers.
[ -x .venv-aws/bin/python ] || python3 -m venv .venv-aws
.venv-aws/bin/python -m pip install --quiet --requirement peers/requirements-aws.txt
swift build --configuration release --static-swift-stdlib --product aws 1>&2
aws=$(swift build --configuration release --show-bin-path)/aws
cc -O2 -o "$work/sink" peers/sqs_sink.c
../Scripts/emulator.py --prepare
cores=$(nproc)
client="taskset -c 0"
server="taskset -c $((cores > 1 ? 1 : 0))"

mkfifo "$work/sink-input" "$work/emulator-input"
# Opened to read as well, so that neither side waits for the other.
exec 3<>"$work/sink-input" 4<>"$work/emulator-input"
$server "$work/sink" <"$work/sink-input" >"$work/sink-url" 3>&- 4>&- &
servers="$servers $!"
$server ../Scripts/emulator.py <"$work/emulator-input" >"$work/emulator-url" 3>&- 4>&- &
servers="$servers $!"
for server in sink emulator; do
    until [ -s "$work/$server-url" ]; do sleep 0.1; done
done
sink=$(cat "$work/sink-url")
emulator=$(cat "$work/emulator-url")

"$aws" presign 5000 --write 1792000000 "$work/urls"
.venv-aws/bin/python peers/aws_presign.py 5000 --compare 1792000000 "$work/urls"
sitting=0
while [ "$sitting" -lt "$sittings" ]; do
    echo "load: $(cut -d' ' -f1-3 /proc/loadavg)" >&2
    $client "$aws" presign 5000
    $client .venv-aws/bin/python peers/aws_presign.py 5000
    $client "$aws" send "$sink" 8000
    $client .venv-aws/bin/python peers/aws_calls.py send "$sink" 1000
    $client .venv-aws/bin/python peers/aws_calls.py send "$sink" 1000 --uvloop
    $client "$aws" emulator "$emulator" 1000
    $client .venv-aws/bin/python peers/aws_calls.py emulator "$emulator" 1000
    $client .venv-aws/bin/python peers/aws_calls.py emulator "$emulator" 1000 --uvloop
    sitting=$((sitting + 1))
done | tee "$work/results"
.venv-aws/bin/python peers/aws_ratio.py "$work/results"
