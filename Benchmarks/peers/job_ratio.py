"""What whole jobs cost, by size, and against orjson reading and writing the same records. Usage: job_ratio.py RESULTS"""
import collections
import json
import statistics
import sys

costs, memory, orjson, resumes = collections.defaultdict(list), collections.defaultdict(list), [], []
for result in map(json.loads, open(sys.argv[1])):
    if result["work"] == "job":
        costs[result["records"]].append(result["cpuMicrosecondsPerRecord"])
        memory[result["records"]].append(result["memoryMaxMB"])
    elif "seconds" in result:
        resumes.append(result["seconds"])
    else:
        orjson.append(1e6 / result["recordsPerCPUSecond"])
peer = statistics.median(orjson)
for records, values in sorted(costs.items()):
    ours = statistics.median(values)
    print(json.dumps({
        "records": records, "cpuMicrosecondsPerRecord": ours, "orjsonAlone": round(peer, 2),
        "shareOfOrjson": round(ours / peer, 2), "memoryMaxMB": max(memory[records]),
    }))
small, large = (statistics.median(costs[records]) for records in (min(costs), max(costs)))
print(json.dumps({"largeAgainstSmall": round(large / small, 3), "resumeSeconds": statistics.median(resumes)}))
