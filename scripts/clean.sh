#!/bin/sh
# Removes what can be made again; what cannot, only when told so.
set -u

# A server left behind by a killed process would go on writing.
stop_database() {
    [ -e .data/postgres ] || return 0
    if [ -x .venv/bin/python ]; then
        .venv/bin/python -c '
import sys
from pathlib import Path
from core.embedded import EnvironmentProblem, stop
try:
    stop(Path(".data/postgres"))
except EnvironmentProblem as problem:
    sys.exit(str(problem))
' || exit 2
    elif [ -e .data/postgres/postmaster.pid ]; then
        echo "The local database may be running: run make setup, which brings what can stop it, then make clean." >&2
        exit 2
    fi
}

if [ -e .data ]; then
    answer=
    if [ "${FORCE:-}" = 1 ]; then
        answer=y
    elif [ -t 0 ]; then
        printf 'Remove the local database and files in .data as well? They cannot be brought back. [y/N] '
        read -r answer
    fi
    case $answer in
    [yY]*)
        stop_database
        rm -rf .data
        echo "Removed .data."
        ;;
    *) echo "Kept .data (make clean FORCE=1 removes it)." ;;
    esac
fi
find . -name .venv -prune -o -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles
echo "Removed .venv and the caches."
