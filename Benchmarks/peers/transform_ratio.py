"""Ratios of the transform to its peers, one line for each kind of work. Usage: transform_ratio.py RESULTS (JSON lines)"""
import collections
import json
import statistics
import sys

sides = collections.defaultdict(lambda: collections.defaultdict(list))
for result in map(json.loads, open(sys.argv[1])):
    sides[result["work"]][result["side"].split()[0]].append(result["recordsPerCPUSecond"])
for work, results in sides.items():
    medians = {side: statistics.median(values) for side, values in results.items()}
    print(json.dumps({
        "work": work, **{side: int(median) for side, median in medians.items()},
        **{f"to {side}": round(medians["sluice"] / median, 2) for side, median in medians.items() if side != "sluice"},
    }))
