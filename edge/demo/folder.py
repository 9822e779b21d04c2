"""The demo's state folder: a whole store, with settings of its own, beside a small HQ."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from edge.errors import ThresholdError
from edge.settings import LineSettings

__all__ = ["DemoFolder", "DemoPorts", "write_demo_store"]

_RELEASE_S = 10
_DEMO_K = 5
_VIDEO_K = 2

_MARK = "# The demo's store."
_STORE = (
    _MARK
    + """ Windows are short so that a minute shows the whole way; a shop keeps the defaults (`threshold init`).
[store]
id = "demo"
name = "Demo shop"
timezone = "UTC"

[mqtt]
port = {mqtt}
protocol = "3.1.1"              # all that the embedded broker speaks; with Mosquitto leave it out

[web]
port = {web}

[hq]
url = "https://127.0.0.1:{hq}"
credential_file = "hq-credential"
ca_file = "hq-certificate.pem"
interval_s = 1.0

[windows]
local_s = 1
release_s = {release_s}
grace_s = 3

[privacy]
k = {k}
epsilon_per_day = 10000.0       # a demo's day has thousands of windows

[[zones]]
id = "entrance"
name = "Entrance"
kind = "entrance"
notice_attested_on = {today}

[[zones]]
id = "fitting"
name = "Fitting rooms"
kind = "fitting_room"

[[zones]]
id = "checkout"
name = "Checkout"
kind = "checkout"
"""
)

_CAMERA = """
[[cameras]]
id = "{id}"
zone = "entrance"
"""

_LINE = """
[[cameras.lines]]
name = "{name}"
points = [[{x1}, {y1}], [{x2}, {y2}]]
"""

_OTHERS = """
[[mirrors]]
id = "mirror-1"
zone = "fitting"

[[tills]]
id = "till-1"
zone = "checkout"

[[tills]]
id = "till-2"
zone = "checkout"

[[kiosks]]
id = "kiosk-1"
zone = "entrance"
"""


@dataclass(frozen=True, slots=True)
class DemoPorts:
    """Loopback ports of the broker, the dashboard and HQ."""

    mqtt: int
    web: int
    hq: int

    @classmethod
    def choose(cls, *, mqtt: int | None, web: int | None, hq: int | None) -> DemoPorts:
        """Take the ports asked for, and free ones for the others.

        Raises:
            ThresholdError: a port that was asked for is taken.
        """
        return cls(_port(mqtt, "--mqtt-port"), _port(web, "--web-port"), _port(hq, "--hq-port"))


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where the demo keeps what."""

    state: Path

    @property
    def config(self) -> Path:
        """The store's settings."""
        return self.state / "store.toml"

    @property
    def hq_data(self) -> Path:
        """HQ's own folder."""
        return self.state / "hq"

    @property
    def credential(self) -> Path:
        """What the store shows HQ."""
        return self.state / "hq-credential"

    @property
    def certificate(self) -> Path:
        """HQ's certificate, which the store trusts."""
        return self.state / "hq-certificate.pem"

    @property
    def key(self) -> Path:
        """HQ's private key."""
        return self.state / "hq-key.pem"

    @property
    def truth(self) -> Path:
        """What the simulated shop really did."""
        return self.state / "truth.json"


def write_demo_store(
    folder: DemoFolder, *, ports: DemoPorts, cameras: dict[str, tuple[LineSettings, ...]], video: bool, today: date
) -> None:
    """Write the demo's store.toml. One clip shows few people, so a demo of a video releases counts from two on.

    Raises:
        ThresholdError: the folder holds a store that is not a demo's; it is not touched.
    """
    if folder.config.exists() and not folder.config.read_text("utf-8").startswith(_MARK):
        raise ThresholdError("start demo", f"{folder.state} holds a store of its own", "choose another --state folder")
    text = _STORE.format(
        mqtt=ports.mqtt, web=ports.web, hq=ports.hq, release_s=_RELEASE_S, today=today, k=_VIDEO_K if video else _DEMO_K
    )
    for camera, lines in cameras.items():
        text += _CAMERA.format(id=camera)
        for line in lines:
            (x1, y1), (x2, y2) = line.points
            text += _LINE.format(name=line.name, x1=x1, y1=y1, x2=x2, y2=y2)
    folder.config.write_text(text + _OTHERS, encoding="utf-8")


def _port(wanted: int | None, option: str) -> int:
    with socket.socket() as probe:
        # As the servers themselves do it: a port that is only in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except OSError as error:
            raise ThresholdError("start demo", f"port {wanted} is taken", f"choose another with {option}") from error
        port: int = probe.getsockname()[1]
        return port
