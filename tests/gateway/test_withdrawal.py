"""Taking back on the kiosk's page, with broker, gateway and web as processes of their own: nothing is served after it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from gateway_process import GatewayProcess, PlainDevice, until
from kiosk_visits import Visitor

PURPOSE = "size_recommendation"
WITHDRAWALS = 10
SERVED = {"", "this box has no size model"}
GATES_NO = {"withdrawn", "the consent session has ended"}
PAGES = """
[web]
port = {web}
[kiosk]
enabled = true
port = {kiosk}
"""


@pytest.fixture
def kiosk(mosquitto: Any, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """The address of a kiosk whose gateway runs."""
    gateway = GatewayProcess(tmp_path, port=mosquitto.port)
    port = free_port()
    with gateway.config.open("a", encoding="utf-8") as config:
        config.write(PAGES.format(web=free_port(), kiosk=port))
    command = [sys.executable, "-m", "edge.cli", "web", "--config", str(gateway.config)]
    with (tmp_path / "web.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as web:
        try:
            gateway.start()
            address = f"http://127.0.0.1:{port}"
            until(lambda: answers(address), what=f"the kiosk: {(tmp_path / 'web.log').read_text('utf-8')}")
            yield address
        finally:
            gateway.kill()
            web.terminate()


def answers(address: str) -> bool:
    """Whether a kiosk is there."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{address}/healthz", trust_env=False).is_success
    return False


class Mirror:
    """A mirror that asks for sizes with a short code."""

    def __init__(self, device: PlainDevice, code: str) -> None:
        self._device = device
        self._code = code

    def ask(self, times: int) -> list[str]:
        """Ask so often, without waiting for answers; the ids of the questions."""
        asked = [str(uuid4()) for _ in range(times)]
        for message_id in asked:
            body = {"message_id": message_id, "captured_at": datetime.now(UTC).isoformat(), "session": self._code}
            self._device.say("mirror/mirror-1/measurement", {**body, "stature_mm": 1750})
        return asked

    def told(self, asked: list[str]) -> list[str]:
        """Why each of these was refused, once all are answered; the empty string where a size came."""

        def found() -> dict[str, str]:
            heard = [said for topic, said in list(self._device.heard) if topic.endswith("/recommendation")]
            return {said["message_id"]: said["refused"] or "" for said in heard}

        until(lambda: found().keys() >= set(asked), what="an answer to every question")
        return [found()[message_id] for message_id in asked]


def short_code(shopper: Visitor) -> str:
    """Allow sizes and have the six digits shown."""
    shopper.allow(PURPOSE)
    shopper.get("/here")
    shopper.send("/here/short-code")
    first, second = re.findall(r'class="code"[^>]*>\s*(\d{3})\D{1,40}(\d{3})', shopper.page)[0]
    return str(first + second)


def test_nothing_is_served_after_a_withdrawal(kiosk: str, device: PlainDevice) -> None:
    """Once the page has said that it is taken back, every question that follows is refused, each time, and none before was."""
    for _ in range(WITHDRAWALS):
        with httpx.Client(base_url=kiosk, trust_env=False) as client:
            shopper = Visitor(client)
            mirror = Mirror(device, short_code(shopper))
            assert set(mirror.told(mirror.ask(2))) <= SERVED
            under_way = mirror.ask(3)
            assert shopper.send("/here/withdraw", purpose=PURPOSE).is_success
            after = mirror.ask(5)
            assert set(mirror.told(after)) <= GATES_NO
            assert len(mirror.told(under_way)) == len(under_way)
