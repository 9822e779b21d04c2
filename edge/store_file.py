"""A first `store.toml`, as `threshold init` writes it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from edge.errors import SettingsError

__all__ = ["write_store_file"]

_TEMPLATE = """\
# A Threshold store. `threshold check --config store.toml` names every mistake in it.
# Relative paths are relative to this file.

[store]
id = "{store}"                  # a-z, 0-9 and -; part of every topic: threshold/v1/{store}/...
name = "{name}"
timezone = "{timezone}"         # decides where a day begins

[mqtt]                          # the broker the shop's devices publish to
host = "127.0.0.1"
port = 1883
# username = "gateway"
# password_file = "mqtt-password"
# ca_file = "ca.pem"            # with it the connection is TLS

[web]                           # the staff dashboard; keep it on the box or behind the shop's own network
host = "127.0.0.1"
port = 8080

[hq]                            # without url nothing leaves the box
# url = "https://hq.example.com"
# credential_file = "hq-credential"
# ca_file = "hq-ca.pem"

[windows]                       # seconds
local_s = 60
release_s = 900
grace_s = 30

[privacy]
k = 5                           # counts of fewer people are merged into a later window, or never leave
epsilon_per_release = 1.0       # discrete Laplace noise of scale 1/epsilon
epsilon_per_day = 96.0          # for each count that is released
attestation_valid_days = 30

[[zones]]
id = "entrance"
name = "Entrance"
kind = "entrance"               # entrance, sales_floor, checkout; cameras are refused in fitting_room and restroom
# The day a member of staff last saw the camera notice hanging at this zone. Nothing is counted without it.
# notice_attested_on = {today}

[[cameras]]
id = "door"
zone = "entrance"
privacy_masks = []              # polygons blacked out before inference: [[[0.0, 0.0], [0.2, 0.0], [0.2, 0.3]]]

# Walking from the first point to the second, a crossing from the left hand to the right hand is "in".
[[cameras.lines]]
name = "threshold"
points = [[0.1, 0.6], [0.9, 0.6]]

[[tills]]
id = "till-1"
zone = "entrance"
"""


def write_store_file(folder: Path, *, store: str, name: str, timezone: str, today: date) -> Path:
    """Write `folder`/store.toml and return its path.

    Raises:
        SettingsError: there is one already; it is not touched.
    """
    path = folder / "store.toml"
    folder.mkdir(parents=True, exist_ok=True)
    text = _TEMPLATE.format(store=store, name=name.replace('"', "'"), timezone=timezone, today=today.isoformat())
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise SettingsError(str(path), ("exists already; edit it, or name another folder",)) from error
    return path
