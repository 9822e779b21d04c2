"""What every room's tests may ask for: a real Mosquitto with the configuration that we ship."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

_SHIPPED = Path(__file__).parent.parent / "firmware_configs" / "mosquitto"
_LOOPBACK = "listener 1883 127.0.0.1"
_PATIENCE_S = 30


class Mosquitto:
    """A Mosquitto on a free loopback port; it keeps port and queue file over `stop` or `kill` and the next `start`."""

    def __init__(self, folder: Path, *, listener: str | None = None, executable: str) -> None:
        """`listener` replaces the shipped loopback listener; `{port}` in it becomes the port."""
        self.host, self.port, self.folder = "127.0.0.1", _free_port(), folder
        self._command = [executable, "-c", str(folder / "mosquitto.conf")]
        self._process: subprocess.Popen[bytes] | None = None
        if listener is None:
            shipped = (_SHIPPED / "listener-loopback.conf").read_text("utf-8")
            assert _LOOPBACK in shipped
            listener = shipped.replace(_LOOPBACK, "listener {port} 127.0.0.1")
        limits = (_SHIPPED / "threshold.conf").read_text("utf-8")
        # Started as root, Mosquitto would become a user who cannot read a test's folder.
        user = "user root\n" if os.geteuid() == 0 else ""
        text = f"{user}persistence_location {folder}/\n{limits}\n{listener.replace('{port}', str(self.port))}"
        (folder / "mosquitto.conf").write_text(text, "utf-8")

    def start(self) -> None:
        """Start it; returns once it listens."""
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
                return
            time.sleep(0.02)
        pytest.fail(f"mosquitto does not start: {(self.folder / 'mosquitto.log').read_text('utf-8')[-500:]}")

    def stop(self) -> None:
        """End it as systemd would; it saves its queues."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut would: what it had not saved is lost."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        if self._process is not None:
            (self._process.kill if kill else self._process.terminate)()
            self._process.wait(_PATIENCE_S)
            self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_port():
    """A function that names a loopback port nobody listens on."""
    return _free_port


@pytest.fixture
def make_mosquitto(tmp_path_factory):
    """A function that makes a Mosquitto, not yet started, with a listener of one's own; it is killed at the end."""
    executable = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if executable is None:
        pytest.skip("no mosquitto on this machine: apt-get install mosquitto")
    made: list[Mosquitto] = []

    def make(listener: str | None = None) -> Mosquitto:
        made.append(Mosquitto(tmp_path_factory.mktemp("mosquitto"), listener=listener, executable=executable))
        return made[-1]

    yield make
    for broker in made:
        broker.kill()


@pytest.fixture
def mosquitto(make_mosquitto):
    """A running Mosquitto with the shipped configuration: `.host`, `.port`, `.start()`, `.stop()`, `.kill()`."""
    broker = make_mosquitto()
    broker.start()
    return broker
