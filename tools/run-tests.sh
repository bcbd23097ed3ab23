#!/bin/bash
# Run every test, in two processes side by side: those that mostly wait (marked `waiting`), two files at a time, beside all others,
# so that two cores need some twenty minutes and not fifty.  Arguments go to a single pytest instead: a choice of tests is one run.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTEST=${PYTEST:-.venv/bin/pytest}
if [ $# -gt 0 ]; then exec "$PYTEST" "$@"; fi

waiting=$(mktemp)
trap 'rm -f "$waiting"' EXIT
"$PYTEST" -m waiting -n 2 --dist loadfile >"$waiting" 2>&1 &
beside=$!
code=0
"$PYTEST" -m 'not waiting' || code=$?
wait "$beside" || code=$?
echo
echo 'The tests that mostly wait, run beside the others:'
cat "$waiting"
exit "$code"
