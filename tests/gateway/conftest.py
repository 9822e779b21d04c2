"""A running gateway on a real Mosquitto, and a device on the same broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_process import GatewayProcess, PlainDevice


@pytest.fixture
def gateway(mosquitto, tmp_path: Path) -> Iterator[GatewayProcess]:
    """A running gateway."""
    running = GatewayProcess(tmp_path, port=mosquitto.port)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def device(mosquitto) -> Iterator[PlainDevice]:
    """A device on the same broker."""
    made = PlainDevice(mosquitto.port)
    yield made
    made.close()
