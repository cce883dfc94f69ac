"""How many times the peers' figures ours are, one line for each kind of work and peer. Usage: aws_ratio.py RESULTS (JSON lines)"""
import collections
import json
import statistics
import sys

figures = collections.defaultdict(lambda: collections.defaultdict(list))
for result in map(json.loads, open(sys.argv[1])):
    figures[result["work"]][result["side"]].append((result["perCPUSecond"], result.get("perSecond")))
for work, sides in figures.items():
    ours = sides.pop("sluice")
    for side, theirs in sides.items():
        line = {"work": work, "against": side}
        for place, name in enumerate(("perCPUSecond", "perSecond")):
            pair = [[run[place] for run in runs] for runs in (ours, theirs)]
            if None in pair[0]:
                continue
            our, their = map(statistics.median, pair)
            # Each sitting is a ratio of its own; what they differ by is what the machine's other work does.
            sittings = [one / other for one, other in zip(*pair)]
            line[name] = [int(our), int(their)]
            line[f"{name}Ratio"] = round(our / their, 2)
            line[f"{name}RatioOfSittings"] = [round(min(sittings), 2), round(max(sittings), 2)]
        print(json.dumps(line))
