#!/usr/bin/env python3
"""Checks what the deployment is described by, in a virtual environment of its own that it makes if it is missing or outdated.

    Scripts/check_deploy.py PROGRAM    all checks; PROGRAM is `sluice`
    Scripts/check_deploy.py --files    only those that need no program: linters, syntax, and what the files say of each other
    Scripts/check_deploy.py --prepare  only see to the environment

With the program the template is deployed to the emulator of Scripts/emulator.py, and its tables, queues and bucket are
compared with what `sluice tables create` makes there; then `sluice doctor` has to find them sound.
"""

import fcntl
import os
import pathlib
import subprocess
import sys
import venv

SCRIPTS = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = SCRIPTS / "deploy-requirements.txt"
PLACE = SCRIPTS.parent / ".build" / "deploy"
PYTHON = PLACE / "bin" / "python"


def prepare():
    """As Scripts/emulator.py makes its own; the two can't share one, for their packages want different others."""
    wanted = REQUIREMENTS.read_bytes()
    done = PLACE / "installed.txt"
    PLACE.parent.mkdir(exist_ok=True)
    with open(PLACE.parent / "deploy.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.read_bytes() == wanted:
            return
        print("check_deploy: installing its tools into .build/deploy", file=sys.stderr)
        venv.create(PLACE, clear=True, with_pip=True)
        subprocess.run(
            [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS],
            stdout=sys.stderr, check=True,
        )
        done.write_bytes(wanted)


def main():
    match sys.argv[1:]:
        case ["--prepare"]:
            prepare()
        case ["--files"]:
            prepare()
            os.execv(PYTHON, [PYTHON, SCRIPTS / "check_deploy_files.py"])
        case [program] if not program.startswith("-"):
            prepare()
            subprocess.run([PYTHON, SCRIPTS / "check_deploy_files.py"], check=True)
            os.execv(PYTHON, [PYTHON, SCRIPTS / "check_deploy_stack.py", program])
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
