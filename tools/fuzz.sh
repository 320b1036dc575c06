#!/usr/bin/env bash
# Runs every fuzz target of build/fuzz, two at a time, each on its kept corpus in fuzz/corpus/<name> plus what earlier
# runs found in build/fuzz/found/<name>. Exits 1 when any target failed, and names the input that did it.
#
# usage: tools/fuzz.sh [NAME...]     without names: all targets
#
# SECONDS_EACH=n  how long each target runs (default 60)       RUNS=n  stop earlier, after n inputs
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SECONDS_EACH=${SECONDS_EACH:-60}
RUNS=${RUNS:--1}
BIN=build/fuzz/fuzz
AT_ONCE=2

# New inputs go to the first directory; the kept corpus is only read.
fuzz_one() { # name
    local name=$1 found=build/fuzz/found/$1 failures=build/fuzz/failures/$1 log=build/fuzz/$1.log
    local corpus=fuzz/corpus/$1 dictionary=fuzz/$1.dict
    mkdir -p "$found" "$failures"
    local dirs=("$found") options=()
    [ -d "$corpus" ] && dirs+=("$corpus")
    [ -f "$dictionary" ] && options+=("-dict=$dictionary")
    if "$BIN/fuzz_$name" -max_total_time="$SECONDS_EACH" -runs="$RUNS" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$failures/" "${options[@]}" "${dirs[@]}" >"$log" 2>&1; then
        echo "ok     $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
        return 0
    fi
    echo "FAILED $name:"
    tail -n 30 "$log" | sed 's/^/    /'
    echo "    repeat with: $BIN/fuzz_$name $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)"
    return 1
}

main() {
    local names=("$@") name failed=0 running=0
    if [ ${#names[@]} -eq 0 ]; then
        for name in "$BIN"/fuzz_*; do
            [ -x "$name" ] && names+=("$(basename "$name" | sed 's/^fuzz_//')")
        done
    fi
    for name in "${names[@]}"; do
        if [ ! -x "$BIN/fuzz_$name" ]; then
            echo "tools/fuzz.sh: no target $BIN/fuzz_$name; build it with: cmake --preset fuzz && cmake --build build/fuzz" >&2
            return 2
        fi
    done
    for name in "${names[@]}"; do
        fuzz_one "$name" &
        running=$((running + 1))
        if [ "$running" -ge "$AT_ONCE" ]; then
            wait -n || failed=$((failed + 1))
            running=$((running - 1))
        fi
    done
    while [ "$running" -gt 0 ]; do
        wait -n || failed=$((failed + 1))
        running=$((running - 1))
    done
    echo "fuzz: ${#names[@]} targets, $failed failed"
    [ "$failed" -eq 0 ]
}

main "$@"
