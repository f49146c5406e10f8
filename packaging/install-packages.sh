#!/bin/sh
# Installs the packages of packages.txt whose use is among the arguments,
# and only when one is missing. Usage: install-packages.sh build test ...
set -eu
list=$(dirname "$0")/packages.txt
want=""
for use in "$@"; do
    want="$want $(awk -v u="$use" '$1 !~ /^#/ && $2 == u { print $1 }' "$list")"
done
missing=""
for package in $want; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" != installed ] || continue
    command=$(awk -v p="$package" '$1 == p { sub("command:", "", $3); print $3; exit }' "$list")
    if [ -n "$command" ] && command -v "$command" >/dev/null; then
        continue
    fi
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
run=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "error: these packages are missing and you are not root:$missing" >&2
        echo "       run as root: apt-get install$missing" >&2
        exit 1
    }
    run=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -qq
# shellcheck disable=SC2086
$run apt-get install -y -qq --no-install-recommends $missing >/dev/null
