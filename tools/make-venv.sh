#!/bin/bash
# Makes a virtual environment.  usage: tools/make-venv.sh DIR   env: PYTHON (default python3)
# Debian keeps the module for it in a package of its own: root gets it installed, others are told.
set -euo pipefail
directory=$1
python=${PYTHON:-python3}

command -v "$python" >/dev/null || { echo "$python is absent: install Python 3.11 or later" >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "$("$python" --version) is too old: mailwatch needs Python 3.11 or later (choose one with make PYTHON=…)" >&2
  exit 1
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo 'installing python3-venv'
    apt-get update -qq </dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv </dev/null >/dev/null
  else
    echo 'the module venv is absent: as root, apt-get install python3-venv' >&2
    exit 1
  fi
fi
"$python" -m venv "$directory"
