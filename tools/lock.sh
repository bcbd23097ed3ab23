#!/bin/bash
# Resolves every dependency anew and writes requirements/*.txt with hashes.  usage: tools/lock.sh [pip-compile options, as --upgrade]
# Run it with the oldest Python that is supported (3.11): the files serve all later ones too.
set -euo pipefail
cd "$(dirname "$0")/.."
PIP_COMPILE=${PIP_COMPILE:-.venv/bin/pip-compile}

# What is locked is what the public index has, whatever this machine prefers.
export PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND='make lock'
unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL PIP_CONSTRAINT PIP_INDEX_URL

lock() {
  local output=$1; shift
  echo "$output"
  "$PIP_COMPILE" --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-options --no-emit-index-url --no-emit-find-links \
    --no-annotate --no-config --index-url https://pypi.org/simple --output-file "$output" "$@"
}

lock requirements/runtime.txt "$@" pyproject.toml
lock requirements/build.txt "$@" requirements/build.in
lock requirements/test.txt "$@" requirements/test.in
lock requirements/dev.txt "$@" requirements/dev.in
