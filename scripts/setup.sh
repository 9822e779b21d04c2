#!/usr/bin/env bash
# Makes .venv and fills it from the locked requirements; a second call with nothing changed returns at once.
# Usage: scripts/setup.sh runtime|dev      (dev also installs the servers the tests talk to)
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:?usage: scripts/setup.sh runtime|dev}
venv=.venv
python=${PYTHON:-python3}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
  echo "setup: need root to run: $*; run it yourself, then start again" >&2; exit 2; fi; }

apt_install() { # apt_install PACKAGE...: only what is missing, quietly
  command -v apt-get >/dev/null || { echo "setup: install these packages by hand, then start again: $*" >&2; exit 2; }
  echo "setup: installing $* with apt-get" >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "setup: needs Python 3.11 or newer as '$python'; set PYTHON=/path/to/python3.11 and start again" >&2; exit 2
fi
if ! [ -x "$venv/bin/python" ]; then
  "$python" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
  "$python" -m venv "$venv"
fi

stamp="$venv/.installed-$profile"
want=$(cat pyproject.toml requirements/*.txt | sha256sum | cut -d' ' -f1)
# The dev profile holds everything the runtime profile does.
if [ "$profile" = runtime ] && [ "$(cat "$venv/.installed-dev" 2>/dev/null)" = "$want" ]; then exit 0; fi
if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
  echo "setup: installing the locked $profile requirements into $venv (once, a minute or two)" >&2
  pip="$venv/bin/python -m pip --disable-pip-version-check"
  $pip install -qq --require-hashes --only-binary=:all: -r requirements/build.txt -r "requirements/$profile.txt"
  $pip install -qq --no-deps --no-build-isolation -e .
  echo "$want" > "$stamp"
fi

if [ "$profile" = dev ]; then
  missing=()
  [ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null || missing+=(mosquitto)
  command -v chromium >/dev/null || missing+=(chromium)
  command -v chromedriver >/dev/null || missing+=(chromium-driver)
  if [ "${#missing[@]}" -gt 0 ]; then apt_install "${missing[@]}"; fi
fi
