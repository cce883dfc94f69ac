"""Invokes one function with an event; see Scripts/invoke.py."""

import contextlib
import json
import os
import pathlib
import sys
import tempfile
import urllib.error
import urllib.request

import check_deploy_stack as stack
import lambda_emulator
import local_services as services

EVENTS = services.SCRIPTS.parent / "Deploy" / "events"
BUCKET, PREFIX = "sluice-invoke", "sluice-"
SECONDS = 60


def usage(problem):
    sys.exit(f"invoke: {problem}; samples are {', '.join(sorted(path.name for path in EVENTS.glob('*.json')))}")


def chosen(function, named):
    """The event, which has to be JSON."""
    samples = [pathlib.Path(named)] if named else sorted(EVENTS.glob(f"{function}*.json"))
    if not samples:
        usage(f"there is no sample event for a function \"{function}\"")
    try:
        text = samples[0].read_bytes()
        event = json.loads(text)
    except (OSError, ValueError) as error:
        usage(f"{samples[0]} can't be read: {error}")
    if not isinstance(event, dict):
        usage(f"{samples[0]} holds no JSON object")
    return text, event


def everything(sluice, event, local):
    """An environment in which the event means something."""
    environment = local.environment(BUCKET, PREFIX) | {
        "SLUICE_KUBERNETES_CLUSTER": services.CLUSTER, "SLUICE_KUBERNETES_URL": local.kubernetes,
        "SLUICE_KUBERNETES_IMAGE": "sluice:local", "SLUICE_KUBERNETES_NAMESPACE": "sluice",
    }
    services.run(sluice, environment, "tables", "create")
    services.set_index(sluice, environment)
    tables = stack.client("dynamodb", local.emulator, services.ACCOUNT)
    for change in event.get("Records", []):
        if "NewImage" in change.get("dynamodb", {}):
            tables.put_item(TableName=f"{PREFIX}reindexing", Item=change["dynamodb"]["NewImage"])
    return environment


def main(sluice, program, function, named=None):
    text, event = chosen(function, named)
    with contextlib.ExitStack() as until:
        environment = {"SLUICE_LOG_LEVEL": "info"} | os.environ
        if not environment.get("SLUICE_AWS_BUCKET"):
            folder = pathlib.Path(until.enter_context(tempfile.TemporaryDirectory()))
            local = until.enter_context(services.LocalServices(sluice, folder, documents=300))
            environment |= everything(sluice, event, local)
        emulator, url = lambda_emulator.begin([os.path.abspath(program)], function, SECONDS, environment)
        until.callback(lambda_emulator.end, emulator)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, text)) as answer:
                said = answer.read().decode()
        except urllib.error.HTTPError as error:
            # The function did not start, or crashed; what the emulator says of that is its answer.
            said = error.read().decode()
    print(said)
    try:
        failed = "errorMessage" in json.loads(said)
    except ValueError:
        # A function that ran out of time is told in plain words.
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
