"""How many QoS 1 messages a second go broker → client → acknowledged, with the shipped Mosquitto configuration.

`python benchmarks/bus.py [MESSAGES]`; one JSON line.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.bus.client import BusClient
from edge.bus.topics import gateway_subscriptions
from edge.settings import MqttSettings

SHIPPED = Path(__file__).parent.parent / "firmware_configs" / "mosquitto"
PORT = 18831


def main(messages: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        listener = (SHIPPED / "listener-loopback.conf").read_text("utf-8").replace("listener 1883", f"listener {PORT}")
        user = "user root\n" if os.geteuid() == 0 else ""
        limits = (SHIPPED / "threshold.conf").read_text("utf-8")
        config.write_text(f"{user}persistence_location {folder}/\n{limits}\n{listener}", "utf-8")
        broker = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            print(json.dumps(_measure(messages)))
        finally:
            broker.terminate()
            broker.wait()


def _measure(messages: int) -> dict[str, float]:
    inbox: queue.Queue[tuple[object, ...]] = queue.Queue()
    client = BusClient(
        MqttSettings(port=PORT),
        client_id="gateway",
        subscriptions=gateway_subscriptions("shop-1"),
        on_message=lambda *message: inbox.put(message),
    )
    client.start()
    assert client.wait_connected(30)
    till = paho.Client(CallbackAPIVersion.VERSION2)
    till.max_inflight_messages_set(500)
    till.connect("127.0.0.1", PORT)
    till.loop_start()
    payload = bytes(500)
    infos = [till.publish("threshold/v1/shop-1/pos/till-1/transaction", payload, qos=1) for _ in range(messages)]
    while not all(info.is_published() for info in infos):
        time.sleep(0.05)
    started = time.perf_counter()
    for _ in range(messages):
        client.ack(inbox.get(timeout=60)[2])  # type: ignore[arg-type]
    while client.counts.acks_sent < messages:
        time.sleep(0.001)
    elapsed_s = time.perf_counter() - started
    till.disconnect()
    till.loop_stop()
    client.stop()
    return {"messages": messages, "per_s": round(messages / elapsed_s)}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
