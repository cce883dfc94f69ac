#!/usr/bin/env python3
"""Checks what the deployment is described by, in a virtual environment of its own that it makes if it is missing or outdated.

    Scripts/check_deploy.py PROGRAM    all checks; PROGRAM is `sluice`
    Scripts/check_deploy.py --files    only those that need no program: linters, syntax, and what the files say of each other
    Scripts/check_deploy.py --prepare  only see to the environment

With the program the template is deployed to the emulator of Scripts/emulator.py, and its tables, queues and bucket are
compared with what `sluice tables create` makes there; then `sluice doctor` has to find them sound.
"""

import os
import subprocess
import sys

import environments

SCRIPTS = environments.SCRIPTS
PLACE = environments.place("deploy")
PYTHON = PLACE / "bin" / "python"


def prepare():
    """Not the emulator's environment: their packages want different others."""
    environments.prepare("deploy")


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
