"""How many times the peers' CPU and rate ours is. Usage: queue_ratio.py RESULTS (JSON lines of all sides)"""
import collections
import json
import statistics
import sys

figures = collections.defaultdict(lambda: collections.defaultdict(list))
for result in map(json.loads, open(sys.argv[1])):
    work = result["work"].split(",")[0]
    figures[work][result["side"]].append((result["cpuMicroseconds"], result["rate"]))
for work, sides in figures.items():
    medians = {side: [statistics.median(column) for column in zip(*runs)] for side, runs in sides.items()}
    ours = medians.pop("sluice")
    for side, theirs in medians.items():
        print(json.dumps({
            "work": work, "against": side, "cpuMicroseconds": [round(ours[0], 2), round(theirs[0], 2)],
            "cpuRatio": round(theirs[0] / ours[0], 1), "rate": [int(ours[1]), int(theirs[1])],
            "rateRatio": round(ours[1] / theirs[1], 1),
        }))
