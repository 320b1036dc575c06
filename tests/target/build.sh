#!/usr/bin/env bash
# Builds the trace runner twice, from the same sources of libvids and what it stands on: for the host, and for a Cortex-M4 without
# operating system, floating point or heap.
# usage: tests/target/build.sh OUT_FOLDER          makes run_trace and run_trace.elf
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$1
mkdir -p "$out"
sources=(src/core/*.c src/event/*.c src/codec/*.c src/edge/can/*.c tests/target/run_trace.c)
common=(-std=c17 -D_GNU_SOURCE -Isrc -Itests/target -Wall -Wextra -Werror -fno-strict-aliasing -ffunction-sections -fdata-sections -Wl,--gc-sections)
arm=(-mcpu=cortex-m4 -mthumb -mfloat-abi=soft -O2 -nostartfiles --specs=nano.specs -T tests/target/mps2.ld)

${CC:-cc} "${common[@]}" -O2 "${sources[@]}" tests/target/port_host.c -lm -o "$out/run_trace"
arm-none-eabi-gcc "${common[@]}" "${arm[@]}" "${sources[@]}" tests/target/port_mps2.c -o "$out/run_trace.elf"
