"""Ratios of the sides' medians, one line for each kind of work. Usage: ratio.py RESULTS (JSON lines of both sides)"""
import collections
import json
import statistics
import sys

sides = collections.defaultdict(lambda: ([], []))
for result in map(json.loads, open(sys.argv[1])):
    sides[result["work"]][result["side"] != "sluice"].append(result["recordsPerCPUSecond"])
for work, (ours, theirs) in sides.items():
    ours, theirs = statistics.median(ours), statistics.median(theirs)
    print(json.dumps({"work": work, "sluice": int(ours), "orjson": int(theirs), "ratio": round(ours / theirs, 2)}))
