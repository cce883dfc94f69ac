#!/usr/bin/env python3
"""Runs whole commands of the real program and says what they cost.

    measure.py cost SLUICE SOURCE RECORDS        CPU and memory of a job from a file to nowhere
    measure.py resume SLUICE SOURCE              time from a restart after kill -9 to the next record moved
"""
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time


def environment(folder):
    return {**os.environ, "SLUICE_DATABASE": os.path.join(folder, "sluice.db")}


def cost(sluice, source, records):
    with tempfile.TemporaryDirectory() as folder:
        command = [sluice, "reindex", "start", "--source", f"file://{source}", "--sink", "noop:", "--wait", "--format", "json"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=True)
        seconds = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    job = json.loads(done.stdout)
    if job["job_status"] != "completed" or job["completed_doc_count"] != int(records):
        sys.exit(f"measure: the job ended {job['job_status']} with {job['completed_doc_count']} of {records} records")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({
        "work": "job", "records": int(records), "cpuMicrosecondsPerRecord": round(cpu / int(records) * 1e6, 2),
        "recordsPerSecond": int(int(records) / seconds), "memoryMaxMB": after.ru_maxrss // 1024,
    }))


def show(sluice, folder, job):
    done = subprocess.run(
        [sluice, "job", "show", job, "--format", "json"], env=environment(folder), capture_output=True, text=True, check=True,
    )
    return json.loads(done.stdout)


def resume(sluice, source):
    with tempfile.TemporaryDirectory() as folder:
        start = [sluice, "reindex", "start", "--source", f"file://{source}", "--sink", "noop:", "--rate", "5000"]
        job = subprocess.run(start, env=environment(folder), capture_output=True, text=True, check=True).stdout.strip()

        def worker():
            return subprocess.Popen([sluice, "worker", "--until-idle"], env=environment(folder), stderr=subprocess.DEVNULL)

        first = worker()
        while show(sluice, folder, job)["completed_doc_count"] < 2000:
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.wait()
        moved = show(sluice, folder, job)["completed_doc_count"]
        began = time.monotonic()
        second = worker()
        try:
            # The record's counts are brought up to date a moment after the books: what is measured is an upper bound.
            while show(sluice, folder, job)["completed_doc_count"] <= moved:
                time.sleep(0.005)
            seconds = time.monotonic() - began
        finally:
            second.kill()
            second.wait()
    print(json.dumps({"work": "resume after kill -9 to the next record", "seconds": round(seconds, 3)}))


{"cost": cost, "resume": resume}[sys.argv[1]](*sys.argv[2:])
