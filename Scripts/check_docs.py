#!/usr/bin/env python3
"""Checks that the documents speak of what is there.

Documentation/Modules.md has one paragraph for each target of Package.swift, which begins with
the first line of the target's face file. Every relative link in a Markdown file leads to a file, and every anchor to a
heading.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULES = ROOT / "Documentation" / "Modules.md"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def targets():
    """Name and path of each target that is neither a test nor a C library."""
    described = subprocess.run(
        ["swift", "package", "dump-package"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in json.loads(described)["targets"]:
        if target["type"] in ("regular", "executable"):
            yield target["name"], ROOT / target["path"]


def check_modules(problems):
    sections = re.split(r"^## ", MODULES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    said = {}
    for section in sections:
        title, _, body = section.partition("\n")
        said[title.strip().strip("`").split("`")[0]] = " ".join(body.split())
    expected = list(targets())
    for name, folder in expected:
        face = (folder / f"{folder.name}.swift").read_text(encoding="utf-8").split("\n")[0].removeprefix("// ")
        if name not in said:
            problems.append(f"Documentation/Modules.md: has no paragraph on the target {name}")
        elif not said[name].startswith(face):
            problems.append(f"Documentation/Modules.md: the paragraph on {name} must begin with its face's line: {face}")
    for name in said.keys() - {name for name, _ in expected}:
        problems.append(f"Documentation/Modules.md: there is no target {name}")


def anchors(path):
    """The anchors of a file's headings, as they are derived from them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(plain.replace(" ", "-"))
    return found


def check_links(problems):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")
    for name in filter(None, listed):
        path = ROOT / name
        if not path.exists():
            continue
        text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for link in LINK.findall(text):
            if "://" in link:
                continue
            place, _, anchor = link.partition("#")
            file = (path.parent / place).resolve() if place else path
            if not file.exists():
                problems.append(f"{name}: the link {link} leads nowhere")
            elif anchor and anchor not in anchors(file):
                problems.append(f"{name}: {place or name} has no heading for the link {link}")


def main():
    problems = []
    check_modules(problems)
    check_links(problems)
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
