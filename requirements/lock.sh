#!/usr/bin/env bash
# Locks every dependency by version and hash, for x86-64 and aarch64 alike; writes no index address.
# Needs `uv` on the PATH. Run it after changing pyproject.toml, and commit what it writes.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() { uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "requirements/lock.sh" "$@"; }
lock --quiet -o requirements/runtime.txt
lock --quiet --extra dev -c requirements/runtime.txt -o requirements/dev.txt
lock --quiet --extra dev --extra bench -c requirements/dev.txt -o requirements/bench.txt
echo 'setuptools>=80' | uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "requirements/lock.sh" -o requirements/build.txt
