#!/usr/bin/env python3
"""Reads the reports that `swift test --xunit-output` left in a folder, and says how many tests passed and failed.

    Scripts/test_outcome.py FOLDER

Ends with 1 if a test failed, or if none ran: a run that tests nothing proves nothing.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


# Of a reason, so much is shown: the whole of it is in the run's output.
REASON_MAX = 1500


def reason(failure):
    text = " ".join((failure.get("message") or failure.text or "no reason given").split())
    return text if len(text) <= REASON_MAX else text[:REASON_MAX] + " …"


def main():
    passed = failed = skipped = 0
    failures = []
    for report in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
                failures.append(f"failed: {case.get('classname')} {case.get('name')}")
                failures += [f"    {reason(failure)}" for failure in case.findall("failure") + case.findall("error")]
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    if passed + failed == 0:
        sys.exit("test_outcome: no test ran to its end")
    for line in failures:
        print(line)
    print(f"Outcome: of {passed + failed + skipped} tests, {passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


main()
