#!/bin/sh
# setup.sh local|dev: makes .venv, with the packages that requirements/<name>.txt locks.
set -u
lock=requirements/$1.txt
installed=.venv/installed.txt # a copy of the lock that .venv was last made to match
log=.cache/setup.log

fail() {
    echo "$1" >&2
    exit 2
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null
}

find_python() {
    [ -z "${PYTHON:-}" ] || is_recent "$PYTHON" || fail "PYTHON=$PYTHON is no Python 3.12 or later that starts: name another, or leave it out."
    found=
    for python in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.14 python3 python \
        /opt/homebrew/bin/python3 /usr/local/bin/python3 /usr/bin/python3 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3 \
        "$HOME"/.local/share/uv/python/cpython-3.1[2-9]*/bin/python3; do
        is_recent "$python" || continue
        found=$python
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    done
    [ "$found" ] || fail "Quartermaster needs Python 3.12 or later and none was found: install one, or name it as in: make run PYTHON=/path/to/python3.13"
    package=$("$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    fail "$found cannot make environments because its part \"venv\" is missing: install it (on Debian and Ubuntu: apt install $package), then run make again."
}

# step TITLE COMMAND...: shows how long it took; its output goes to the log.
step() {
    printf '%s ... ' "$1"
    shift
    started=$(date +%s)
    if "$@" >"$log" 2>&1; then
        echo "done in $(($(date +%s) - started)) s"
    else
        echo failed
        tail -n 5 "$log" >&2
        fail "Setting up stopped at the lines above (all of them: $log): put that right, then run make again."
    fi
}

# Packages for the tests include all that a run needs.
if is_recent .venv/bin/python && { cmp -s "$lock" "$installed" || cmp -s requirements/dev.txt "$installed"; }; then
    exit 0
fi

mkdir -p .cache || fail "The folder $(pwd) cannot be written: run make as the user it belongs to."
if ! is_recent .venv/bin/python; then
    find_python
    step "Making .venv with $("$found" --version)" "$found" -m venv --clear .venv
fi
rm -f "$installed"
# Not compiled: Python does that with what is imported, the first time.
step "Installing Python packages ($lock)" .venv/bin/python -m pip install \
    --no-compile --require-hashes --disable-pip-version-check --no-input --requirement "$lock"
cp "$lock" "$installed"
