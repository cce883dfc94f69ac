#!/bin/sh
# Measures the functions under Lambda's emulator: first answers against Python with boto3, warm batches, and the zip's size.
# Usage: Benchmarks/lambda.sh [ROUNDS=7]
# Cold: from the invocation that starts the process to its answer, to an empty batch. Ours has found its tables and queues on
# the emulator of AWS by then and joined the workers; Python has imported boto3 and made the clients of its handler.
set -eu
cd "$(dirname "$0")"
[ -x .venv-lambda/bin/python ] || python3 -m venv .venv-lambda
.venv-lambda/bin/python -m pip install --quiet --requirement peers/requirements-lambda.txt
cd ..
for program in sluice sluice-lambda; do
    swift build --explicit-target-dependency-import-check error --configuration release --static-swift-stdlib \
        --product "$program" 1>&2
done
built=$(swift build --configuration release --show-bin-path)
Scripts/emulator.py --prepare
Scripts/check_deploy.py --prepare
Scripts/lambda_zip.py "$built/sluice-lambda" 1>&2
exec .build/deploy/bin/python Benchmarks/peers/lambda_calls.py "$built/sluice" "${1:-7}"
