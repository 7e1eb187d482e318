#!/bin/sh
# Makes .venv and puts into it exactly what requirements/dev.txt locks. Needs Python 3.11 or newer with venv and pip.
# Compiles them, or each of the many processes that the tests start would do it again.
# Does nothing when that is done already, so every target of the Makefile may ask for it.
set -eu
cd "$(dirname "$0")/.."

lock=requirements/dev.txt
wanted=$(cksum <"$lock")
if [ -x .venv/bin/python ] && [ "$(cat .venv/synced 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

fail() {
    echo "$1" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if ! [ -x .venv/bin/python ]; then
    python=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if new_enough "$candidate"; then
            python=$candidate
            break
        fi
    done
    [ -n "$python" ] || fail "V2V needs Python 3.11 or newer, and this machine's python3 is $(python3 -V 2>&1): install one, or name it with PYTHON=/path/to/python3."
    echo "Making .venv with $("$python" -V)"
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        # Debian keeps pip's seed in a package of its own; a pip outside can fill the environment as well.
        rm -rf .venv
        "$python" -m venv --without-pip .venv
    fi
fi

uv=uv
if ! uv --version >/dev/null 2>&1; then
    uv=.venv/bin/uv
    if ! [ -x "$uv" ]; then
        echo "Installing uv"
        # The lock holds uv too: take its lines, hashes and all.
        sed -n '/^uv==/,/[^\\]$/p' "$lock" >.venv/uv.txt
        .venv/bin/python -m pip install -q --require-hashes -r .venv/uv.txt 2>/dev/null ||
            python3 -m pip --python .venv/bin/python install -q --require-hashes -r .venv/uv.txt ||
            fail "pip could not install uv: see above. On Debian, apt-get install python3-venv."
    fi
fi
echo "Installing what $lock locks"
sync() {
    "$uv" pip sync -q --compile-bytecode --require-hashes --python .venv/bin/python "$lock"
}
# A second try trusts the certificates of the machine, which a proxy on the way may need.
sync || UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true sync
echo "$wanted" >.venv/synced
