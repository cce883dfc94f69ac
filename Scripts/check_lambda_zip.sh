#!/usr/bin/env bash
# Checks that a zip of Scripts/lambda_zip.py starts where the C library is older than Amazon Linux 2023's: in a root of
# Debian 11 (glibc 2.31) under .build, which debootstrap makes once. Needs root, debootstrap, python3, and apt's mirror.
# Without arguments the program is started as Lambda starts it, and has to ask for its first event; with some, it is called
# with them and has to end well.
# Usage: make check-lambda-zip, or Scripts/check_lambda_zip.sh ZIP [ARGUMENT...]
set -euo pipefail

here=$(dirname "$(realpath "$0")")
zip=$(realpath "${1:?name the zip}")
shift
root=$here/../.build/bullseye

if [ "$(id -u)" != 0 ]; then
    echo "check_lambda_zip: needs root, to change the root folder" >&2
    exit 1
fi
if [ ! -f "$root/.made" ]; then
    command -v debootstrap >/dev/null || { echo "check_lambda_zip: apt-get install debootstrap" >&2; exit 1; }
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
    [ -n "$mirror" ] || { echo "check_lambda_zip: apt has no mirror of Debian; run apt-get update" >&2; exit 1; }
    echo "check_lambda_zip: making a root of Debian 11 in .build/bullseye" >&2
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase bullseye "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    touch "$root/.made"
fi

rm -rf "$root/var/task"
mkdir -p "$root/var/task"
"$here/lambda_zip.py" --unpack "$zip" "$root/var/task"

echo "glibc there: $(chroot "$root" ldd --version | head -n 1 | grep -o '[0-9.]*$')"
if [ $# -gt 0 ]; then
    # Lambda looks for libraries in the system's folders first.
    system="/lib/$(uname -m)-linux-gnu:/usr/lib/$(uname -m)-linux-gnu:/lib64:/var/task/lib"
    command=(chroot "$root" env -i --chdir=/var/task HOME=/tmp "LD_LIBRARY_PATH=$system" /var/task/bootstrap "$@")
else
    command=("$here/check_lambda_zip_start.py" "$root")
fi
# It wants /proc, as Lambda has it; the mount is gone with the process.
# shellcheck disable=SC2016
unshare --mount bash -euc 'mount -t proc proc "$0/proc"; "$@"' "$root" "${command[@]}"
