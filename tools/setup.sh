#!/usr/bin/env bash
# Installs what this project needs and this machine lacks: Debian packages by name, the Python packages of the tests
# into .venv, and the console's npm packages. Instant when all is there. Safe to run again after a failure.
#
# usage: tools/setup.sh [build|test|console|fuzz|lint ...]     without arguments: all of them
#
# Needs root or sudo only when a Debian package is missing. VSOC_PACKAGES=skip leaves the system's packages alone,
# for machines that get them another way.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One group per job; a package stands in the first group that needs it.
declare -A PACKAGES=(
    [build]="build-essential cmake ninja-build pkg-config ccache python3 python3-yaml openssl ca-certificates
             libmicrohttpd-dev libgnutls28-dev libcurl4-openssl-dev libssl-dev libargon2-dev libsqlite3-dev
             libzstd-dev zlib1g-dev libyaml-dev libjansson-dev libsimdjson-dev libpcap-dev libhyperscan-dev libpcre2-dev
             libseccomp-dev"
    [test]="python3-venv libcmocka-dev libcbor-dev sqlite3 valgrind jq clang libclang-rt-14-dev
            gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"
    [console]="chromium fonts-dejavu-core"
    [fuzz]="clang libclang-rt-14-dev llvm"
    [lint]="clang clang-format clang-tidy"
)
NODE_MAJOR_MIN=18
PYTHON_MINOR_MIN=9
LOG=build/setup.log

say() { printf 'setup: %s\n' "$*"; }

die() {
    printf 'setup: %s\n' "$@" >&2
    exit 2
}

# Runs a command with its output in the log; shows the log's end only when it fails.
quietly() {
    if ! "$@" >>"$LOG" 2>&1; then
        tail -n 20 "$LOG" >&2
        die "failed: $*" "the whole output is in $LOG; run tools/setup.sh again once the cause is mended"
    fi
}

node_is_new_enough() {
    local major
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || return 1
    [ "$major" -ge "$NODE_MAJOR_MIN" ] && command -v npm >/dev/null
}

missing_packages() {
    local group wanted=""
    for group in "$@"; do
        wanted+=" ${PACKAGES[$group]}"
        if [ "$group" = console ] && ! node_is_new_enough; then
            wanted+=" nodejs npm"
        fi
    done
    # dpkg-query prints nothing for a package it has never heard of, so what is wanted minus what is installed is missing.
    # shellcheck disable=SC2086
    comm -23 <(printf '%s\n' $wanted | sort -u) \
        <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null | sed -n 's/ installed$//p' | sort -u)
}

install_packages() {
    local missing as_root=()
    if [ "${VSOC_PACKAGES:-}" = skip ]; then
        return
    fi
    command -v dpkg-query >/dev/null ||
        die "this is not a Debian machine" "install the counterparts of the packages named in tools/setup.sh, then set VSOC_PACKAGES=skip"
    mapfile -t missing < <(missing_packages "$@")
    if [ ${#missing[@]} -eq 0 ]; then
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "missing packages, and neither root nor sudo to install them" \
            "run as root: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "updating the package lists"
    quietly "${as_root[@]}" apt-get update
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

# Debian's own Python first: others on the PATH may lack venv or change under us.
base_python() {
    local python
    for python in /usr/bin/python3 python3; do
        if "$python" -c "import sys, venv; sys.exit(sys.version_info < (3, $PYTHON_MINOR_MIN))" 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    die "no Python 3.$PYTHON_MINOR_MIN or newer with venv" "apt-get install python3 python3-venv"
}

install_python() {
    local stamp=.venv/requirements.sha256 wanted
    wanted=$(sha256sum <tests/requirements.txt)
    if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
        return
    fi
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        say "making the Python environment .venv"
        quietly "$(base_python)" -m venv --clear .venv
    fi
    say "installing the tests' Python packages into .venv"
    quietly .venv/bin/python -m pip install --disable-pip-version-check -r tests/requirements.txt
    echo "$wanted" >"$stamp"
}

install_npm() {
    local stamp=console/node_modules/.vsoc-lock.sha256 wanted
    if [ ! -f console/package-lock.json ]; then
        return
    fi
    wanted=$(sha256sum <console/package-lock.json)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    # What a developer installed by hand and matches is left as it is: `npm ci` would take it away under a running server.
    if ! npm --prefix console ls >/dev/null 2>&1; then
        say "installing the console's npm packages"
        quietly npm --prefix console ci --no-audit --no-fund
    fi
    echo "$wanted" >"$stamp"
}

main() {
    local group
    if [ $# -eq 0 ]; then
        set -- build test console fuzz lint
    fi
    for group in "$@"; do
        [ -n "${PACKAGES[$group]:-}" ] || die "unknown group '$group'" "usage: tools/setup.sh [build|test|console|fuzz|lint ...]"
    done
    mkdir -p build
    # Two setups at once would fight over apt and .venv: the second waits.
    exec 9>build/.setup.lock
    flock 9
    : >"$LOG"
    install_packages "$@"
    for group in "$@"; do
        case $group in
        test) install_python ;;
        console) install_npm ;;
        esac
    done
    say "ready: $*"
}

main "$@"
