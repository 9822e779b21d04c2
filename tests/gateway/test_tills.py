"""A running gateway and tills of three kinds: JSON and POSLog over MQTT, and one that can only post."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gateway_process import GatewayProcess, PlainDevice, sale, until

SAMPLE = Path(__file__).parents[1] / "pos_bridge/samples/sale_6.xml"
CREDENTIAL = "c0ffee" * 8


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def shop(mosquitto, tmp_path: Path) -> Iterator[tuple[GatewayProcess, str]]:
    """A gateway at which tills may post, and where."""
    running = GatewayProcess(tmp_path, port=mosquitto.port)
    (tmp_path / "till-1.credential").write_text(CREDENTIAL, "ascii")
    port = _port()
    written = running.config.read_text("utf-8")
    written = written.replace('id = "till-1"', 'id = "till-1"\ncredential_file = "till-1.credential"')
    running.config.write_text(f"{written}\n[tills_http]\nenabled = true\nport = {port}\n", "utf-8")
    running.start()
    yield running, f"http://127.0.0.1:{port}/v1/tills/till-1/transactions"
    running.kill()


def test_a_posted_sale_counts_once_with_those_on_mqtt(shop, mosquitto) -> None:
    """Posted, repeated and published: one sale is one sale, committed before the answer."""
    gateway, address = shop
    message = sale(1999)
    headers = {"Authorization": f"Bearer {CREDENTIAL}", "Idempotency-Key": message["message_id"]}
    for _ in range(2):
        answer = httpx.post(address, json=message, headers=headers, trust_env=False, timeout=60)
        assert answer.status_code == 200
        assert message["message_id"] in answer.json()["message_ids"]
    assert gateway.total("sales", "EUR/total_minor") == 1999
    device = PlainDevice(mosquitto.port)
    device.say("pos/till-1/transaction", message)
    until(lambda: gateway.counter("repeated") >= 2, what="the repetitions to be seen")
    device.close()
    assert gateway.total("sales", "EUR/sales") == 1


def test_a_poslog_on_mqtt_is_a_sale(shop, mosquitto) -> None:
    """XML on the same topic as JSON, however often, is counted once."""
    gateway, _ = shop
    device = PlainDevice(mosquitto.port)
    for _ in range(2):
        device.say("pos/till-1/transaction", SAMPLE.read_bytes())
    until(lambda: gateway.counter("repeated") == 1, what="the second to be known as the first")
    device.close()
    assert gateway.total("sales", "EUR/sales") == 1


def test_a_stranger_cannot_post(shop) -> None:
    """A wrong credential is refused, and nothing is counted."""
    gateway, address = shop
    headers = {"Authorization": "Bearer " + "0" * 48}
    assert httpx.post(address, json=sale(), headers=headers, trust_env=False, timeout=60).status_code == 401
    assert gateway.total("sales", "EUR/sales") == 0


def test_what_pays_and_names_is_gone_before_anything_is_stored(shop, mosquitto) -> None:
    """A till that sends card number, verification code and telephone: the sale counts, the rest is in no file."""
    gateway, _ = shop
    card, phone, code = "4111111111111111", "+4915112345678", "8173"
    message = sale(
        750,
        reference=f"paid with {card}",
        customer={"name": "Rosalind Franklinova", "phone": phone},
        payment={"cvv": code},
    )
    device = PlainDevice(mosquitto.port)
    device.say("pos/till-1/transaction", message)
    until(lambda: gateway.total("sales", "EUR/sales") == 1, what="the sale")
    until(lambda: gateway.counter("forbidden_card_code") == 1, what="the alarm")
    device.close()
    written = b"".join(path.read_bytes() for path in gateway.folder.rglob("*") if path.is_file())
    assert not [secret for secret in (card, phone, "Franklinova") if secret.encode() in written]
    assert b"till.sends_forbidden" in written
