"""Checks the deployment's files by themselves; Scripts/check_deploy.py runs it in the environment that it needs.

The template by cfn-lint and by SAM, what is for Kubernetes by its schemas, the workflow and the configuration by their syntax;
and that they fit together: a build target and room in time for every function, every parameter used, events that the
functions' filters let through.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

import yaml
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "Deploy"
TEMPLATE = DEPLOY / "template.yaml"
TOOLS = pathlib.Path(sys.executable).parent
# Lambda may hand a message to another invocation before the first one is over, unless the queue hides it for so long.
VISIBILITY_FACTOR = 6


def linted(problems):
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    for command in (
        [TOOLS / "cfn-lint", "--regions", "us-east-1", "--", TEMPLATE],
        [TOOLS / "sam", "validate", "--lint", "--region", "us-east-1", "--template", TEMPLATE],
        [TOOLS / "kubernetes-validate", "--strict", "--quiet", DEPLOY / "kubernetes" / "rbac.yaml"],
    ):
        done = subprocess.run(command, cwd=DEPLOY, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            problems.append(f"{command[0].name}: {(done.stdout + done.stderr).strip()}")


def parsed(problems):
    """What no linter of ours reads has to be whole at least, and names no account."""
    for path in sorted((ROOT / ".github").rglob("*.yml")):
        workflow = yaml.safe_load(path.read_text())
        for name, job in workflow["jobs"].items():
            needed = job.get("needs", [])
            for other in [needed] if isinstance(needed, str) else needed:
                if other not in workflow["jobs"]:
                    problems.append(f"{path.name}: {name} needs {other}, which is no job")
    configuration = tomllib.loads((DEPLOY / "samconfig.toml").read_text())
    for environment in ("staging", "preprod", "production"):
        if "stack_name" not in configuration.get(environment, {}).get("deploy", {}).get("parameters", {}):
            problems.append(f"samconfig.toml: {environment} names no stack")
    for path in sorted(DEPLOY.rglob("*")) + sorted((ROOT / ".github").rglob("*")):
        if path.is_file() and ".aws-sam" not in path.parts:
            for number in set(re.findall(r"(?<![\w-])\d{12}(?![\w-])", path.read_text())) - {"0" * 12}:
                problems.append(f"{path.name}: {number} looks like an account's number")


def matches(pattern, event):
    """Whether a filter of exact values lets an event through, as Lambda decides it."""
    if isinstance(pattern, list):
        return event in pattern
    return isinstance(event, dict) and all(key in event and matches(part, event[key]) for key, part in pattern.items())


def functions(template):
    return {
        name: resource["Properties"] for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def fitting(template, problems):
    targets = (DEPLOY / "function" / "Makefile").read_text()
    for name in functions(template):
        if f"build-{name}" not in targets:
            problems.append(f"function/Makefile: has no target build-{name}")
    text = TEMPLATE.read_text()
    for name in template["Parameters"]:
        if not re.search(rf"!Ref {name}\b|\$\{{{name}\}}", text):
            problems.append(f"template.yaml: nothing reads the parameter {name}")
        if text.count(f"- {name}\n") + text.count(f"[{name}]") < 1:
            problems.append(f"template.yaml: the parameter {name} is in no group")
    for timeout, entry in template["Mappings"]["Visibility"].items():
        window = max(template["Parameters"][f"{name}BatchingWindowSeconds"]["MaxValue"] for name in ("Replay", "Progress"))
        if entry["Seconds"] < VISIBILITY_FACTOR * int(timeout) + window:
            problems.append(f"template.yaml: {entry['Seconds']} s hide messages too briefly for functions of {timeout} s")
    for name in ("Replay", "Progress"):
        allowed = set(template["Parameters"][f"{name}FunctionTimeout"]["AllowedValues"])
        if allowed != set(template["Mappings"]["Visibility"]):
            problems.append(f"template.yaml: not every time-out of {name}FunctionTimeout has its visibility")


def shown(template, problems):
    """The sample events are such as the functions get."""
    events = {path.stem: json.loads(path.read_text()) for path in (DEPLOY / "events").glob("*.json")}
    stream = functions(template)["ExtractionFunction"]["Events"]["Jobs"]["Properties"]
    patterns = [json.loads(entry["Pattern"]) for entry in stream["FilterCriteria"]["Filters"]]
    for name in ("extraction-new-job", "extraction-bare-record", "extraction-resumed-job"):
        for record in events[name]["Records"]:
            if not any(matches(pattern, record) for pattern in patterns):
                problems.append(f"events/{name}.json: no filter lets it through")
            # A counter that moves is what a job's record changes by most of the time, and starts nothing.
            record["dynamodb"]["NewImage"]["job_status"] = {"S": "in_progress"}
            if any(matches(pattern, record) for pattern in patterns):
                problems.append(f"template.yaml: a filter lets jobs through that are in progress already ({name})")
    for name in ("replay", "progress"):
        for record in events[name]["Records"]:
            missing = {"v", "chunk", "of", "reindex_id"} - json.loads(record["body"]).keys()
            if missing:
                problems.append(f"events/{name}.json: a body has no {', '.join(sorted(missing))}")
    if events["confirm"]["detail-type"] != "Scheduled Event":
        problems.append("events/confirm.json: is no scheduled event")


def main():
    problems = []
    linted(problems)
    parsed(problems)
    template = yaml_parse(TEMPLATE.read_text())
    fitting(template, problems)
    shown(template, problems)
    for problem in problems:
        print(f"check_deploy: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
