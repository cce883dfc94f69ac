#!/usr/bin/env bash
# Runs all tests with the flags given, and ends with a plain line of what passed and failed. A run without a test fails.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .build
report=$(mktemp -d .build/test-report.XXXXXX)
trap 'rm -rf "$report"' EXIT

ended=0
swift test "$@" --disable-xctest --xunit-output "$report/tests.xml" || ended=$?
Scripts/test_outcome.py "$report" || ended=1
exit "$ended"
