#!/bin/sh
# Writes .env: a copy of .env.example with secrets of its own. One that is there already is left alone.
set -eu
cd "$(dirname "$0")/.."
[ ! -e .env ] || exit 0
secret() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}
umask 077
sed -e "s/^SECRET_KEY=\$/&$(secret)/" -e "s/^POSTGRES_PASSWORD=\$/&$(secret)/" -e "s/^TURN_SECRET=\$/&$(secret)/" .env.example >.env
