#!/usr/bin/env bash
# Builds the drivers of the peers into build/peers, from their registries; nothing of them enters the source tree.
# A peer that cannot be had is left out, with the reason said, and the comparison runs without it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=build/peers
RUST=1.96.0 # the oldest that rsigma 0.26 builds with

setup_rsigma() {
    command -v cargo >/dev/null || { echo "no cargo" >&2; return 1; }
    local cargo=(cargo)
    if ! cargo --version | awk '{split($2, v, "."); exit !(v[1] > 1 || v[2] >= 96)}'; then
        command -v rustup >/dev/null || { echo "cargo is older than $RUST, and there is no rustup" >&2; return 1; }
        rustup toolchain install "$RUST" --profile minimal >/dev/null 2>&1 || { echo "cannot install Rust $RUST" >&2; return 1; }
        cargo=(cargo "+$RUST")
    fi
    mkdir -p "$out/rsigma"
    cp -r bench/peers/rsigma/. "$out/rsigma/"
    (cd "$out/rsigma" && "${cargo[@]}" build --release -j "${JOBS:-2}")
}

setup_esper() {
    command -v mvn >/dev/null || { echo "no mvn; it is in the Debian packages maven and default-jdk-headless" >&2; return 1; }
    mkdir -p "$out/esper"
    cp -r bench/peers/esper/. "$out/esper/"
    (cd "$out/esper" && mvn -q -B compile dependency:copy-dependencies -DoutputDirectory=target/lib)
}

for peer in rsigma esper; do
    echo "==== $peer" >&2
    "setup_$peer" >&2 || echo "$peer is left out" >&2
done
