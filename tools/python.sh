#!/bin/sh
# Runs the project's Python: the environment that tools/setup.sh made, else Debian's own, else any on the PATH.
# usage: tools/python.sh ARGUMENT...
here=$(dirname "$0")/..
for python in "$here/.venv/bin/python" /usr/bin/python3 python3; do
    if command -v "$python" >/dev/null 2>&1; then
        exec "$python" "$@"
    fi
done
echo "tools/python.sh: no python3 found; run tools/setup.sh" >&2
exit 2
