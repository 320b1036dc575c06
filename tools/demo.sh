#!/usr/bin/env bash
# make demo: installs, builds, makes keys, starts vsocd, drives vehicles, and shows what was found. See tools/demo.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'demo: %s\n' "$*" >&2; }

tools/setup.sh build console
say "building (build/release)"
cmake --preset release >build/demo-configure.log 2>&1 || { tail -n 20 build/demo-configure.log >&2; exit 2; }
cmake --build build/release -j "$(nproc)" >build/demo-build.log 2>&1 || { tail -n 30 build/demo-build.log >&2; exit 2; }
say "building the console (console/dist)"
npm --prefix console run --silent build >build/demo-console.log 2>&1 || { tail -n 30 build/demo-console.log >&2; exit 2; }
exec python3 tools/demo.py ${ONCE:+--once} "$@"
