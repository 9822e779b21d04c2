"""A gateway as a process of its own, and a device to talk to it with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.storage.database import open_reader

PATIENCE_S = 60

STORE = """
[store]
id = "shop-1"
[mqtt]
port = {port}
[windows]
local_s = 1
release_s = 2
grace_s = 0
[privacy]
k = 1
epsilon_per_day = 10000.0
[[zones]]
id = "entrance"
notice_attested_on = {today}
[[zones]]
id = "back"
[[cameras]]
id = "door"
zone = "entrance"
privacy_masks = []
[[cameras.lines]]
name = "middle"
points = [[0.0, 0.5], [1.0, 0.5]]
[[cameras]]
id = "unsigned"
zone = "back"
frigate_name = "Back_Door"
[[cameras.lines]]
name = "middle"
points = [[0.0, 0.5], [1.0, 0.5]]
[[cameras]]
id = "nvr"
zone = "entrance"
frigate_name = "Front_Door"
frigate_detect = [1280, 720]
[[cameras.lines]]
name = "door"
points = [[0.1, 0.6], [0.9, 0.6]]
[[mirrors]]
id = "mirror-1"
zone = "entrance"
[[tills]]
id = "till-1"
zone = "entrance"
[[kiosks]]
id = "kiosk-1"
zone = "entrance"
"""


def until(condition: Callable[[], bool], *, what: str) -> None:
    """Wait for `condition`; fail with `what` if it never comes."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for: {what}")
        time.sleep(0.05)


class GatewayProcess:
    """`threshold gateway` on a store of its own."""

    def __init__(self, folder: Path, *, port: int) -> None:
        self.folder = folder
        self.config = folder / "store.toml"
        self.config.write_text(STORE.format(port=port, today=datetime.now(UTC).date()), "utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until the broker hears it."""
        started_s = time.time()
        with (self.folder / "gateway.log").open("ab") as log:
            command = [sys.executable, "-m", "edge.cli", "gateway", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: self.gauge("broker_connected_s") >= started_s, what=f"the gateway to connect: {self.log()}")

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        """End it as systemd would, and return its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def log(self) -> str:
        """Everything it logged."""
        return (self.folder / "gateway.log").read_text("utf-8")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask its database."""
        path = self.folder / "store.db"
        try:
            with open_reader(path) as reader:
                return [tuple(row) for row in reader.execute(sql)]
        except Exception:  # noqa: BLE001  it is only just being made
            return []

    def gauge(self, name: str) -> float:
        """One of its figures."""
        rows = self.rows(f"SELECT value FROM gauges WHERE name = '{name}'")  # noqa: S608
        return float(rows[0][0]) if rows else 0.0

    def counter(self, name: str) -> int:
        """One of its running totals."""
        rows = self.rows(f"SELECT value FROM counters WHERE name = '{name}'")  # noqa: S608
        return int(rows[0][0]) if rows else 0

    def total(self, metric: str, key: str) -> int:
        """A metric's sum over all windows."""
        rows = self.rows(f"SELECT sum(value) FROM windows WHERE metric = '{metric}' AND key = '{key}'")  # noqa: S608
        return int(rows[0][0] or 0) if rows else 0


class PlainDevice:
    """A device that speaks MQTT 3.1.1 and keeps what it hears."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"device-{uuid4().hex[:8]}")
        self.client.max_inflight_messages_set(0)
        self.client.on_connect = lambda client, *_: client.subscribe("threshold/v1/shop-1/+/+/+", qos=1)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_message(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        if message.topic.endswith(("/ack", "/recommendation")):
            self.heard.append((message.topic, json.loads(message.payload)))

    def say(self, place: str, payload: bytes | dict[str, Any], *, qos: int = 1) -> None:
        """Publish on `place`, such as `pos/till-1/transaction`."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.client.publish(f"threshold/v1/shop-1/{place}", body, qos=qos).wait_for_publish(PATIENCE_S)

    def speak_as_frigate(self, topic: str, payload: bytes | dict[str, Any]) -> None:
        """Publish on `frigate/{topic}`, as an NVR does."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.client.publish(f"frigate/{topic}", body, qos=1).wait_for_publish(PATIENCE_S)

    def acked(self) -> list[str]:
        """Every message id that came back on `ack`."""
        return [one for topic, said in self.heard if topic.endswith("/ack") for one in said["message_ids"]]

    def close(self) -> None:
        """Go."""
        self.client.disconnect()
        self.client.loop_stop()


def sale(total_minor: int = 500, **changes: Any) -> dict[str, Any]:
    """A valid till transaction."""
    return {
        "message_id": str(uuid4()),
        "captured_at": datetime.now(UTC).isoformat(),
        "currency": "EUR",
        "lines": [{"sku": "sock", "quantity": 1, "total_minor": total_minor}],
        "total_minor": total_minor,
        **changes,
    }
