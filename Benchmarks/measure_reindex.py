#!/usr/bin/env python3
"""Runs whole reindexing jobs between stand-ins, which are processes of their own, and says what the job's process costs.

    measure_reindex.py SIDE SLUICE DOCUMENTS [KIND]    CPU and memory; SIDE is sluice, tuned or source-shape
    measure_reindex.py same SLUICE DOCUMENTS [KIND]    whether all sides send the same documents
    measure_reindex.py capacity SLUICE [OPTION…]       what the adaptive concurrency makes of a sink with a hard capacity

Where there are two cores, who is measured has the first one and what answers it the second: else each takes the other's
caches, and figures swing by a third.
The options of `capacity` are those of `sluice reindex start`; --set confirm.interval.seconds=3600 leaves only the deliveries.
KIND is structured, unstructured or semi-structured (default). The peers need Benchmarks/.venv and .venv-emulator.
"""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = HERE / ".venv/bin/python"
KEY = "benchmark"
MEASURED, ANSWERING = (["taskset", "--cpu-list", str(core)] for core in (0, min(1, os.cpu_count() - 1)))
INDEX_TYPES = {
    "structured": ["--type", "structured"],
    "unstructured": ["--type", "unstructured", "--marqo-version", "2.5"],
    "semi-structured": ["--type", "unstructured", "--marqo-version", "2.16"],
}


@contextlib.contextmanager
def stand_in(sluice, *arguments):
    process = subprocess.Popen(
        [*ANSWERING, sluice, "stand-in", *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().strip()
        if not url:
            sys.exit(f"measure: the stand-in of {arguments[0]} did not start")
        yield url
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def emulator():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
    process = subprocess.Popen([*ANSWERING, HERE / ".venv-emulator/bin/ministack"], env=environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(urllib.request.Request(f"{url}/_ministack/reset", method="POST")).close()
                break
            time.sleep(0.1)
        else:
            sys.exit("measure: the emulator did not start")
        yield url
    finally:
        process.terminate()
        process.wait()


def stats(api):
    with urllib.request.urlopen(f"{api}/stand-in/stats") as answer:
        return json.load(answer)


def measured(command, environment):
    """The output of a command, its CPU seconds, its wall seconds and its largest memory in MB; the stand-ins' are not in it."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [*MEASURED, *command], env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        output = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"measure: {command[0]} ended with {process.returncode}: {errors.read()[-2000:]}")
    return output, usage.ru_utime + usage.ru_stime, time.monotonic() - begun, usage.ru_maxrss // 1024


def environment(folder, vespa, api):
    return {
        "SLUICE_DATABASE": f"{folder}/sluice.db", "SLUICE_VESPA_URL": f"vespa+{vespa}",
        "SLUICE_ECOMMERCE_URL": f"ecommerce+{api}/api/v1", "SLUICE_ECOMMERCE_API_KEY": KEY,
    }


def declare(sluice, kind, variables):
    """Makes the index known, for a structured one with its declared fields."""
    fields = []
    if kind == "structured":
        shown = subprocess.run([sluice, "stand-in", "vespa", "--show-fields"], capture_output=True, text=True, check=True).stdout
        fields = [word for line in shown.splitlines() for word in ("--field", line)]
    subprocess.run(
        [sluice, "index", "set", f"products-{kind}", "--account", "demo", "--shop-id", "shop", *INDEX_TYPES[kind], *fields],
        env={**os.environ, **variables}, stdout=subprocess.DEVNULL, check=True,
    )


def run_sluice(sluice, kind, vespa, api, documents, destination):
    with tempfile.TemporaryDirectory() as folder:
        variables = environment(folder, vespa, api)
        declare(sluice, kind, variables)
        command = [
            sluice, "reindex", "start", "--account", "demo", "--index", f"products-{kind}",
            "--destination-index", destination, "--wait", "--format", "json",
        ]
        output, cpu, seconds, memory = measured(command, variables)
    job = json.loads(output)
    if job["job_status"] != "completed" or job["completed_doc_count"] != documents:
        sys.exit(f"measure: the job ended {job['job_status']} with {job['completed_doc_count']} of {documents} documents")
    return cpu, seconds, memory


def run_tuned(sluice, kind, vespa, api, documents, destination):
    with tempfile.TemporaryDirectory() as folder:
        command = [
            PYTHON, HERE / "peers/reindex_tuned.py", vespa, f"{api}/api/v1", f"products-{kind}", kind, destination, f"{folder}/tuned.db",
        ]
        output, cpu, seconds, memory = measured(command, {"SLUICE_ECOMMERCE_API_KEY": KEY})
    expect(json.loads(output), documents)
    return cpu, seconds, memory


def run_source_shape(sluice, kind, vespa, api, documents, destination):
    with emulator() as aws:
        command = [
            PYTHON, HERE / "peers/reindex_source_shape.py", vespa, f"{api}/api/v1", f"products-{kind}", kind, destination,
            str(documents), aws,
        ]
        output, _, _, memory = measured(command, {"SLUICE_ECOMMERCE_API_KEY": KEY})
    result = json.loads(output)
    expect(result, documents)
    return result["cpuSeconds"], result["seconds"], memory


def expect(result, documents):
    for name in ("extracted", "replayed", "completed"):
        if result[name] != documents:
            sys.exit(f"measure: the peer has {name} {result[name]} of {documents} documents")


SIDES = {"sluice": run_sluice, "tuned": run_tuned, "source-shape": run_source_shape}


def cost(side, sluice, documents, kind="semi-structured"):
    documents = int(documents)
    os.environ["SLUICE_ECOMMERCE_API_KEY"] = KEY
    # The stand-in gives each kind of index a third.
    with stand_in(sluice, "vespa", "--documents", 3 * documents) as vespa, \
            stand_in(sluice, "ecommerce", "--keep", "digests", "--processing", 200) as api:
        cpu, seconds, memory = SIDES[side](sluice, kind, vespa, api, documents, "copy")
        held = stats(api)["documents"].get("copy", 0)
    if held != documents:
        sys.exit(f"measure: {held} documents arrived of {documents}")
    print(json.dumps({
        "side": side, "kind": kind, "documents": documents, "cpuMicrosecondsPerDocument": round(cpu / documents * 1e6, 2),
        "documentsPerSecond": int(documents / seconds), "memoryMaxMB": memory,
    }), flush=True)


def listing(api, index):
    """What the stand-in holds, as sorted JSON texts by id: Python takes 1 and 1.0 and true for the same, texts are not."""
    held, after = {}, ""
    while after is not None:
        with urllib.request.urlopen(f"{api}/stand-in/indexes/{index}/documents?limit=1000{after and '&after=' + after}") as answer:
            for line in answer:
                document = json.loads(line)
                held[document["_id"]] = json.dumps(document, sort_keys=True)
            after = answer.headers.get("Stand-In-Next")
    return held


def same(sluice, documents, kind="semi-structured"):
    documents = int(documents)
    os.environ["SLUICE_ECOMMERCE_API_KEY"] = KEY
    with stand_in(sluice, "vespa", "--documents", 3 * documents) as vespa, \
            stand_in(sluice, "ecommerce", "--processing", 200) as api:
        copies = {}
        for side, run in SIDES.items():
            run(sluice, kind, vespa, api, documents, side)
            copies[side] = listing(api, side)
    ours = copies["sluice"]
    for side, copy in copies.items():
        if len(copy) != documents or copy != ours:
            different = next((id for id in ours if ours[id] != copy.get(id)), None)
            sys.exit(f"measure: {side} sent {len(copy)} documents; {different} is different: {copy.get(different)}")
    print(f"{kind}: {documents} documents are the same on all sides", file=sys.stderr)


# Capacity

# Small chunks and a slow sink: eighty requests at once must be the sink's limit, not this machine's.
LATENCY_MILLISECONDS = int(os.environ.get("LATENCY", "250"))
CHUNK = int(os.environ.get("CHUNK", "10"))
# Seconds; what is reached is judged over so long, for requests come and go in bursts.
WINDOW = 5.0
# What the sink bears at once, and for how many seconds.
PHASES = [("start", 8, 30), ("up", 80, 45), ("down", 8, 45)]


class Sampler:
    """Requests that were answered and refused, by time."""

    def __init__(self, api):
        self.api = api
        self.samples = [self.sample()]

    def sample(self):
        requests = stats(self.api)["requests"]
        refused = sum(kind.get("429", 0) for kind in requests.values())
        answered = sum(sum(kind.values()) for kind in requests.values()) - refused
        writes = requests["write"]
        return (time.monotonic(), answered, refused, writes.get("202", 0), writes.get("429", 0))

    def watch(self, seconds, alive):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.25)
            if not alive():
                sys.exit("measure: the job ended before the experiment; more documents are needed")
            self.samples.append(self.sample())

    @staticmethod
    def between(first, last, capacity):
        seconds = last[0] - first[0]
        answered, refused, writes, refused_writes = (last[place] - first[place] for place in range(1, 5))
        return {
            "share": round(answered / seconds / capacity, 3), "refused": round(refused / max(1, answered + refused), 4),
            "writesPerSecond": round(writes / seconds, 1),
            "refusedWrites": round(refused_writes / max(1, writes + refused_writes), 4),
        }


def capacity(sluice, *options):
    os.environ["SLUICE_ECOMMERCE_API_KEY"] = KEY
    with stand_in(sluice, "vespa", "--documents", 30_000_000) as vespa, stand_in(
        sluice, "ecommerce", "--keep", "counts", "--processing", 200, "--latency", LATENCY_MILLISECONDS, "--capacity", PHASES[0][1],
    ) as api, tempfile.TemporaryDirectory() as folder:
        variables = environment(folder, vespa, api)
        declare(sluice, "semi-structured", variables)
        command = [
            sluice, "reindex", "start", "--account", "demo", "--index", "products-semi-structured", "--wait",
            "--set", "deliveries.max=200", "--set", f"chunk.records.max={CHUNK}", *options,
        ]
        with open(os.environ.get("JOB_LOG", os.devnull), "w") as log:
            job = subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log)
            try:
                sampler = Sampler(api)
                for name, at_once, seconds in PHASES:
                    put_capacity(api, at_once)
                    measure_phase(sampler, name, at_once, seconds, lambda: job.poll() is None)
            finally:
                job.kill()
                job.wait()


def put_capacity(api, at_once):
    body = json.dumps({"at_once": at_once}).encode()
    request = urllib.request.Request(f"{api}/stand-in/capacity", body, {"Content-Type": "application/json"}, method="PUT")
    urllib.request.urlopen(request).close()


def measure_phase(sampler, name, at_once, seconds, alive):
    begun = sampler.sample()
    place = len(sampler.samples)
    sampler.samples.append(begun)
    sampler.watch(seconds, alive)
    samples = sampler.samples[place:]
    capacity = at_once / (LATENCY_MILLISECONDS / 1000)
    converged = None
    for last in samples:
        first = next(one for one in samples if one[0] >= last[0] - WINDOW)
        if last[0] - begun[0] < WINDOW:
            continue
        found = sampler.between(first, last, capacity)
        if found["share"] >= 0.85 and found["refused"] <= 0.05:
            # When the first window that is as it should be began.
            converged = round(first[0] - begun[0], 1)
            break
    second_half = next(one for one in samples if one[0] >= begun[0] + seconds / 2)
    print(json.dumps({
        "phase": name, "atOnce": at_once, "requestsPerSecondMax": capacity, "convergedAfterSeconds": converged,
        "whole": sampler.between(begun, samples[-1], capacity), "secondHalf": sampler.between(second_half, samples[-1], capacity),
    }), flush=True)


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    if name in SIDES:
        cost(name, *arguments)
    else:
        {"same": same, "capacity": capacity}[name](*arguments)
