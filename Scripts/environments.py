"""What the scripts run in: environments of Python under .build, each of a list of pinned packages, and children that end with them."""

import ctypes
import fcntl
import pathlib
import signal
import subprocess
import sys
import venv

SCRIPTS = pathlib.Path(__file__).resolve().parent
ROOT = SCRIPTS.parent


def place(name):
    return ROOT / ".build" / name


def prepare(name):
    """Sees to the environment that Scripts/NAME-requirements.txt lists; others may be at it at the same time."""
    requirements = SCRIPTS / f"{name}-requirements.txt"
    wanted = requirements.read_bytes()
    folder = place(name)
    # The last thing written is what tells a whole environment.
    done = folder / "installed.txt"
    folder.parent.mkdir(exist_ok=True)
    with open(folder.parent / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.read_bytes() == wanted:
            return
        print(f"installing what Scripts/{requirements.name} lists into .build/{name}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run(
            [
                folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                "--requirement", requirements,
            ],
            stdout=sys.stderr, check=True,
        )
        done.write_bytes(wanted)


def die_with_parent():
    """Between a fork and its exec: whoever ends this process, even by SIGKILL, ends that one."""
    parent_death_signal = 1
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
