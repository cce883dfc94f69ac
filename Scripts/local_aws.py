#!/usr/bin/env python3
"""Runs one reindex on an emulator of AWS by event wiring alone: the real template, its functions, and stand-ins for the rest.

    Scripts/local_aws.py SLUICE SLUICE_LAMBDA [DOCUMENTS=10000]

A control plane is played with `aws dynamodb`: it writes a job's record, pauses the job, and makes it pending again. Nothing
else is called by hand. The books have to balance at the end, and the destination has to hold every document.
"""

import os
import sys

import check_deploy

if __name__ == "__main__":
    check_deploy.prepare()
    script = check_deploy.SCRIPTS / "local_aws_run.py"
    os.execv(check_deploy.PYTHON, [check_deploy.PYTHON, script, *sys.argv[1:]])
