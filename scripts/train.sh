#!/usr/bin/env bash
# Trains the footfall detector in an environment of its own: PyTorch is never a run-time dependency.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv-train
if ! [ -x "$venv/bin/python" ]; then
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/python" -m pip install -qq --require-hashes -r requirements/runtime.txt
  "$venv/bin/python" -m pip install -qq 'torch==2.13.0' 'onnx>=1.19'
fi
exec "$venv/bin/python" -m models.train.footfall "$@"
