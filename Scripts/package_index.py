#!/usr/bin/env python3
"""Turns Debian's package index into JSON Lines: one record for each package, version and architecture.

    apt-cache dumpavail | Scripts/package_index.py > packages.jsonl

Fields keep their names and their text; the two sizes become numbers. `_id` is NAME=VERSION:ARCHITECTURE. A package that
two archives offer alike is written once. The last line on standard error says how many records there are.
"""

import json
import sys

NUMBERS = {"Installed-Size", "Size"}


def stanzas(lines):
    """The fields of each paragraph; a line that begins with a blank continues the field before it."""
    fields, name = {}, None
    for line in lines:
        line = line.rstrip("\n")
        if not line:
            if fields:
                yield fields
            fields, name = {}, None
        elif line[0] in " \t" and name is not None:
            fields[name] += "\n" + line
        else:
            name, colon, value = line.partition(":")
            if not colon:
                sys.exit(f"package_index: neither a field nor the rest of one: {line!r}")
            fields[name] = value.strip()
    if fields:
        yield fields


def main():
    # What is no UTF-8 in an old maintainer's name is replaced: a JSON text can't hold it.
    index = open(sys.stdin.fileno(), encoding="utf-8", errors="replace", newline="\n")
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n")
    seen = set()
    for fields in stanzas(index):
        ident = f"{fields['Package']}={fields['Version']}:{fields['Architecture']}"
        if ident in seen:
            continue
        seen.add(ident)
        record = {"_id": ident}
        for name, value in fields.items():
            record[name] = int(value) if name in NUMBERS and value.isdecimal() else value
        out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
    out.flush()
    print(len(seen), file=sys.stderr)


main()
