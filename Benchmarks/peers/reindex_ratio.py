"""What a reindexed document costs on each side, medians and their ratios. Usage: reindex_ratio.py RESULTS (JSON lines)"""
import collections
import json
import statistics
import sys

SMALL = 100_000
runs = collections.defaultdict(list)
for result in map(json.loads, open(sys.argv[1])):
    runs[result["side"], result["kind"], result["documents"]].append(result)
medians = {}
for (side, kind, documents), results in sorted(runs.items()):
    costs = [result["cpuMicrosecondsPerDocument"] for result in results]
    medians[side, kind, documents] = statistics.median(costs)
    print(json.dumps({
        "side": side, "kind": kind, "documents": documents, "cpuMicrosecondsPerDocument": statistics.median(costs),
        "from": min(costs), "to": max(costs), "documentsPerSecond": statistics.median(one["documentsPerSecond"] for one in results),
        "memoryMaxMB": max(one["memoryMaxMB"] for one in results),
    }))
for (side, kind, documents), cost in medians.items():
    ours = medians.get(("sluice", kind, SMALL))
    if ours and (side != "sluice" or documents != SMALL):
        against = side if side != "sluice" else f"itself with {documents} documents"
        print(json.dumps({"kind": kind, "against": against, "cpuRatio": round(cost / ours, 2)}))
