#!/usr/bin/env python3
"""Invokes one function with an event, under Lambda's runtime interface emulator, and prints its answer.

    Scripts/invoke.py SLUICE SLUICE_LAMBDA FUNCTION [EVENT=its first sample in Deploy/events]

If SLUICE_AWS_BUCKET is set, the function works on what the environment names. Otherwise it gets an emulator of AWS with
tables and queues, stand-ins for everything else, and whatever records a stream's event speaks of. Its log goes to standard error.
"""

import os
import sys

import check_deploy

if __name__ == "__main__":
    check_deploy.prepare()
    os.execv(check_deploy.PYTHON, [check_deploy.PYTHON, check_deploy.SCRIPTS / "invoke_run.py", *sys.argv[1:]])
