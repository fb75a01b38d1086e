#!/bin/sh
# Compiles requirements/*.in to hashed locks with uv, which lives in a temporary environment.
set -eu
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"${PYTHON:-python3}" -m venv "$place"
"$place/bin/pip" install --quiet --disable-pip-version-check uv
for name in run test pcsc; do
    "$place/bin/uv" pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 \
        --no-annotate --custom-compile-command "make lock" "$@" "requirements/$name.in" -o "requirements/$name.txt"
    echo "· requirements/$name.txt"
done
