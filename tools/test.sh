#!/usr/bin/env bash
# Runs the test stages in order, stops at the first that fails, and ends with a table: stage, result, seconds, and the
# counts that the stage's own runner printed. Output of each stage is kept in build/test-logs/<stage>.log.
#
# usage: tools/test.sh [--list] [STAGE...]     without stages: all of them, in the order of --list
#
# JOBS=n          parallel jobs (default: all processors)
# ONLY=pattern    narrows a stage to tests that match: a regular expression for ctest, -k for pytest
# VSOC_BIN=dir    programs under test for the oracle and e2e stages
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

JOBS=${JOBS:-$(nproc)}
ONLY=${ONLY:-}
LOGS=build/test-logs
FUZZ_SMOKE_RUNS=20000
FUZZ_SMOKE_S=15

# Later builds of the same sources, and fresh clones on the same machine, take objects from the cache.
if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
    export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
fi

STAGES=(setup schema tidy asan unit clang release console oracle e2e browser threads fuzz)
declare -A ABOUT=(
    [setup]="packages, Python environment, npm packages"
    [schema]="generated files follow from schema/ and content/"
    [tidy]="formatting, the house rules, and the tests that each rule can fail"
    [asan]="build with AddressSanitizer and UndefinedBehaviorSanitizer, warnings are errors"
    [unit]="unit tests under the sanitizers"
    [clang]="build everything with clang, warnings are errors"
    [release]="build as released"
    [oracle]="our decoders and rules against the field's own tools (sanitizer build)"
    [e2e]="the programs as users run them (release build)"
    [console]="console: build and unit tests"
    [browser]="console: journeys in a browser"
    [threads]="tests labelled 'threads' under ThreadSanitizer"
    [fuzz]="a short run of every fuzz target"
)

configure_and_build() { # preset, then targets (none: all)
    local preset=$1
    shift
    cmake --preset "$preset" && cmake --build "build/$preset" -j "$JOBS" ${1:+--target "$@"}
}

run_ctest() { # build directory, further arguments
    local dir=$1
    shift
    ctest --test-dir "$dir" -j "$JOBS" --output-on-failure --no-tests=error ${ONLY:+-R "$ONLY"} "$@"
}

run_pytest() { # directory
    if ! compgen -G "$1/test_*.py" >/dev/null; then
        echo "no tests in $1 yet"
        return
    fi
    .venv/bin/python -m pytest -q -ra --durations=5 ${ONLY:+-k "$ONLY"} "$1"
}

# Fails when the script is named in package.json and fails; says so when the console or the script is not there.
run_npm() { # script
    if [ ! -f console/package.json ]; then
        echo "skipped: console/package.json does not exist"
    elif ! jq -e --arg s "$1" '.scripts[$s]' console/package.json >/dev/null; then
        echo "skipped: console/package.json has no script '$1'"
    else
        npm --prefix console run --silent "$1"
    fi
}

stage_setup() { tools/setup.sh; }
stage_schema() {
    tools/python.sh tools/gen_schema.py --check && tools/python.sh tools/coverage.py --check && echo "all generated files are fresh"
}
stage_tidy() { make fmt-check && tools/python.sh tools/tidy.py && .venv/bin/python -m pytest -q tests/tidy; }
stage_asan() { configure_and_build asan; }
stage_unit() { run_ctest build/asan; }
stage_clang() { configure_and_build clang; }
stage_release() { configure_and_build release; }
stage_oracle() { VSOC_BIN=${VSOC_BIN:-build/asan/bin} run_pytest tests/oracle; }
stage_e2e() { VSOC_BIN=${VSOC_BIN:-build/release/bin} run_pytest tests/e2e; }
stage_console() { run_npm build && run_npm test; }
stage_browser() { VSOC_BIN=${VSOC_BIN:-build/release/bin} run_npm test:browser; }

stage_threads() {
    local tests
    cmake --preset tsan || return 1
    mapfile -t tests < <(ctest --test-dir build/tsan -N -L '^threads$' | sed -n 's/^ *Test *#[0-9]*: //p')
    if [ ${#tests[@]} -eq 0 ]; then
        echo "no test carries the label 'threads'"
        return
    fi
    cmake --build build/tsan -j "$JOBS" --target "${tests[@]}" && run_ctest build/tsan -L '^threads$'
}

stage_fuzz() {
    cmake --preset fuzz && cmake --build build/fuzz -j "$JOBS" --target fuzz/all || return 1
    RUNS=$FUZZ_SMOKE_RUNS SECONDS_EACH=$FUZZ_SMOKE_S tools/fuzz.sh
}

# The lines in which the runners of a stage count what they did: pytest, ctest, node --test, tidy, fuzz.
counts_of() { # log
    grep -E '^(=* ?[0-9]+ (passed|failed|skipped|error).* in [0-9.]+s|[0-9]+% tests passed.*|[^a-z]*(pass|fail|skipped) [0-9]+|tidy: .*|fuzz: .*|skipped: .*|no test.*)' "$1" |
        sed -e 's/^=* *//' -e 's/ *=*$//' | paste -sd ';' | sed 's/;/; /g'
}

print_table() {
    local row
    printf '\n%-9s %-7s %7s  %s\n' stage result seconds counts
    for row in "${ROWS[@]}"; do
        IFS='|' read -r name result seconds counts <<<"$row"
        printf '%-9s %-7s %7s  %s\n' "$name" "$result" "$seconds" "$counts"
    done
    printf '%-9s %-7s %7s\n' total "$1" "$SECONDS"
}

run_stage() { # name
    local name=$1 start=$SECONDS status
    printf '\n==== %s: %s\n' "$name" "${ABOUT[$name]}"
    "stage_$name" 2>&1 | tee "$LOGS/$name.log"
    status=${PIPESTATUS[0]}
    local result=ok
    [ "$status" -eq 0 ] || result=FAILED
    ROWS+=("$name|$result|$((SECONDS - start))|$(counts_of "$LOGS/$name.log")")
    return "$status"
}

main() {
    local name
    if [ "${1:-}" = --list ]; then
        for name in "${STAGES[@]}"; do
            printf '%-9s %s\n' "$name" "${ABOUT[$name]}"
        done
        return
    fi
    [ $# -gt 0 ] || set -- "${STAGES[@]}"
    for name in "$@"; do
        [ -n "${ABOUT[$name]:-}" ] || {
            echo "tools/test.sh: unknown stage '$name'; see tools/test.sh --list" >&2
            return 2
        }
    done
    mkdir -p "$LOGS"
    ROWS=()
    for name in "$@"; do
        if ! run_stage "$name"; then
            print_table FAILED
            echo "tools/test.sh: stage '$name' failed; its output is in $LOGS/$name.log; repeat it with: tools/test.sh $name" >&2
            return 1
        fi
    done
    print_table ok
}

main "$@"
