#!/usr/bin/env bash
# Installs the system packages that the build and the scripts need, those that are missing only.
set -euo pipefail

packages=(curl git pkg-config libsqlite3-dev zlib1g-dev openssl python3 python3-venv)

if ! command -v swift >/dev/null; then
    echo "setup: there is no swift here; install Swift 6.3 from swift.org and try again" >&2
    exit 1
fi
if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is no Debian; make sure that it has what these packages bring: ${packages[*]}" >&2
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: as root, run: apt-get install --yes ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update --quiet=2
"${as_root[@]}" apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}"
