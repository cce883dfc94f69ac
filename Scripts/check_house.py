#!/usr/bin/env python3
"""Checks the rules of the house that no compiler knows.

Every Swift file begins with one plain sentence as a comment. Every folder of Sources that holds Swift files has its face:
a file named for the folder, whose first line says what the folder is for.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# `// Says something.`: no banner, no mark such as `// swift-tools-version` or `// MARK:`.
SENTENCE = re.compile(r"^// [^ :-]\S*( \S+)+\.$")


def swift_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "Sources/**.swift", "Tests/**.swift"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")
    return [path for name in listed if name and (path := ROOT / name).exists()]


def main():
    problems = []
    files = swift_files()
    if not files:
        sys.exit("check_house: found no Swift file; something is wrong with this check")
    for path in files:
        with open(path, encoding="utf-8") as file:
            first = file.readline().rstrip("\n")
        if not SENTENCE.match(first):
            problems.append(f"{path.relative_to(ROOT)}:1: begins with no plain sentence: {first!r}")
    for folder in sorted({path.parent for path in files if path.is_relative_to(ROOT / "Sources")}):
        if not (folder / f"{folder.name}.swift").exists():
            problems.append(f"{folder.relative_to(ROOT)}: has no face; {folder.name}.swift should say what it is for")
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
