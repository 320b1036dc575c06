#!/usr/bin/env bash
# Runs every benchmark program of build/release/bench, one after the other: two at once would measure each other.
# usage: tools/bench.sh [NAME...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ $# -eq 0 ]; then
    mapfile -t names < <(find build/release/bench build/release/bin -maxdepth 1 -type f -executable -name 'bench_*' -printf '%f\n' 2>/dev/null | sort -u)
    set -- "${names[@]#bench_}"
fi
[ $# -gt 0 ] || { echo "tools/bench.sh: no benchmark programs in build/release/bench" >&2; exit 1; }
for name in "$@"; do
    program=$(find build/release/bench build/release/bin -maxdepth 1 -type f -name "bench_$name" 2>/dev/null | head -n 1)
    [ -n "$program" ] || { echo "tools/bench.sh: no benchmark $name" >&2; exit 2; }
    echo "==== $name" >&2
    # A benchmark that needs more than its program has a driver of its name beside the source.
    if [ -x "bench/$name.py" ]; then "bench/$name.py"; else "$program"; fi
done
