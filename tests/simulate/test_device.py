"""The reference device against a real Mosquitto and a gateway that misbehaves on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from edge.errors import BusError
from edge.messages import Ack, Device, DeviceStatus, KioskFeedback, Recommendation
from edge.settings import MqttSettings
from edge.simulate.device import ReferenceDevice
from edge.simulate.kept import ResendAfter

from .conftest import PATIENCE_S, Broker, FakeGateway, eventually, settings_of

NewGateway = Callable[..., FakeGateway]
QUICK = ResendAfter(first_s=0.2, longest_s=0.5)
KIOSK = "threshold/v1/shop/kiosk/hall"


def feedback(message_id: UUID | None = None) -> KioskFeedback:
    return KioskFeedback(message_id=message_id or uuid4(), captured_at=datetime.now(UTC), mood=4)


def kiosk(mosquitto: Broker, **options: object) -> ReferenceDevice:
    arguments = {"store": "shop", "device": Device("kiosk", "hall"), "mqtt": settings_of(mosquitto), "resend": QUICK}
    return ReferenceDevice(**{**arguments, "reconnect_max_s": 1, **options})  # type: ignore[arg-type]


def test_what_is_acknowledged_is_forgotten(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Every message reaches the gateway and nothing is pending once all ids came back."""
    gateway = new_gateway()
    with kiosk(mosquitto) as device:
        sent = [feedback() for _ in range(60)]
        for message in sent:
            device.send(message)
        assert device.wait_acknowledged(PATIENCE_S)
        assert device.sent_ids == tuple(message.message_id for message in sent)
    assert set(gateway.times) == {str(message.message_id) for message in sent}


def test_a_lost_delivery_is_sent_again(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """A gateway that loses the first two deliveries of each message gets a third, and that one ends it."""
    gateway = new_gateway(lambda _id, times: times >= 3)
    with kiosk(mosquitto) as device:
        for _ in range(5):
            device.send(feedback())
        assert device.wait_acknowledged(PATIENCE_S)
    assert len(gateway.times) == 5
    assert all(times >= 3 for times in gateway.times.values())


def test_a_late_acknowledgement_counts(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """An id that comes back late, together with others, ends the resending; until then the message stays pending."""
    gateway = new_gateway(lambda _id, _times: False)
    with kiosk(mosquitto) as device:
        messages = [feedback() for _ in range(3)]
        for message in messages:
            device.send(message)
        assert gateway.wait(lambda: len(gateway.times) == 3 and min(gateway.times.values()) >= 2)
        assert device.pending() == 3
        gateway.acknowledge(KIOSK, *(str(message.message_id) for message in messages))
        assert device.wait_acknowledged(PATIENCE_S)


def test_strange_acknowledgements_do_no_harm(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Unknown ids, repeated ids and rubbish on `ack` neither free a message nor stop the device."""
    gateway = new_gateway(lambda _id, _times: False)
    with kiosk(mosquitto) as device:
        message = feedback()
        device.send(message)
        assert gateway.wait(lambda: str(message.message_id) in gateway.times)
        gateway.say(f"{KIOSK}/ack", b"\xff not json")
        gateway.say(f"{KIOSK}/ack", b'{"message_ids": ["not-an-id"]}')
        gateway.acknowledge(KIOSK, str(uuid4()))
        again = gateway.times[str(message.message_id)] + 2
        assert gateway.wait(lambda: gateway.times[str(message.message_id)] >= again)
        assert device.pending() == 1
        gateway.acknowledge(KIOSK, str(message.message_id), str(message.message_id))
        assert device.wait_acknowledged(PATIENCE_S)


def test_nothing_is_lost_when_the_broker_is_killed(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Messages from before, during and after an outage of a forgetful broker all reach the gateway."""
    gateway = new_gateway(lambda _id, times: times >= 2)
    with kiosk(mosquitto) as device:
        assert device.wait_connected(PATIENCE_S)
        sent = [feedback() for _ in range(30)]
        for message in sent[:10]:
            device.send(message)
        mosquitto.kill()
        assert eventually(lambda: not device.connected)
        assert eventually(lambda: device.trouble is not None)
        for message in sent[10:20]:
            device.send(message)
        assert device.pending() >= 10
        mosquitto.start()
        assert device.wait_connected(PATIENCE_S)
        for message in sent[20:]:
            device.send(message)
        assert device.wait_acknowledged(PATIENCE_S)
    assert set(gateway.times) == {str(message.message_id) for message in sent}


def test_a_backlog_goes_out_whole_and_in_order(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """300 messages written before there was a connection arrive as they were written, each once."""
    gateway = new_gateway()
    device = kiosk(mosquitto, resend=ResendAfter(first_s=300, longest_s=300))
    sent = [feedback() for _ in range(300)]
    for message in sent:
        device.send(message)
    with device:
        assert device.wait_acknowledged(PATIENCE_S)
    heard = [UUID(json.loads(payload)["message_id"]) for payload in gateway.channel("feedback")]
    assert heard == [message.message_id for message in sent]
    assert device.publish_count == 300


def test_a_full_device_says_so(mosquitto: Broker) -> None:
    """When as many messages wait as it may keep, `send` fails and the ones that wait stay."""
    with kiosk(mosquitto, max_kept=2) as device:
        device.send(feedback())
        device.send(feedback())
        with pytest.raises(BusError, match="2 messages wait"):
            device.send(feedback())
        assert (device.pending(), device.sent_count) == (2, 2)


def test_status_is_online_then_offline(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """A device says online when it comes and offline when it goes, both as a status the gateway can read."""
    gateway = new_gateway()
    with kiosk(mosquitto) as device:
        assert device.wait_connected(PATIENCE_S)
        assert gateway.wait(lambda: len(gateway.heard) == 1)
    assert gateway.wait(lambda: len(gateway.heard) >= 2)
    states = [DeviceStatus.model_validate_json(payload).state for payload in gateway.channel("status")]
    assert states == ["online", "offline"]


def test_status_is_retained(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Who comes later still learns that a device is online, and after it has gone that it is offline."""
    with kiosk(mosquitto) as device:
        assert device.wait_connected(PATIENCE_S)
        late = new_gateway()
        assert late.wait(lambda: bool(late.heard))
        assert DeviceStatus.model_validate_json(late.channel("status")[-1]).state == "online"
    later = new_gateway()
    assert later.wait(lambda: bool(later.heard))
    assert DeviceStatus.model_validate_json(later.channel("status")[-1]).state == "offline"


def test_a_mirror_hears_its_answer(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """A mirror is subscribed to its recommendations; rubbish there is passed over."""
    gateway, answers = new_gateway(), list[Recommendation]()
    mirror = ReferenceDevice(
        store="shop", device=Device("mirror", "m1"), mqtt=settings_of(mosquitto), on_recommendation=answers.append
    )
    answer = Recommendation(message_id=uuid4(), refused="no consent session")
    with mirror:
        assert mirror.wait_connected(PATIENCE_S)
        gateway.say("threshold/v1/shop/mirror/m1/recommendation", b"rubbish")
        gateway.say("threshold/v1/shop/mirror/m1/recommendation", answer.model_dump_json().encode())
        assert eventually(lambda: answers == [answer])
        assert mirror.recommendation_count == 1


def test_frames_are_dropped_and_counted_while_disconnected(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """A frame is never kept: without a broker it is counted as not sent, with one it arrives."""
    gateway = new_gateway()
    camera = ReferenceDevice(
        store="shop", device=Device("camera", "door"), mqtt=settings_of(mosquitto), reconnect_max_s=1
    )
    assert not camera.publish_frame(b"early")
    with camera:
        assert camera.wait_connected(PATIENCE_S)
        assert camera.publish_frame(b"seen")
        assert gateway.wait(lambda: gateway.channel("frame") == [b"seen"])
        mosquitto.kill()
        assert eventually(lambda: not camera.connected)
        assert not camera.publish_frame(b"void")
        mosquitto.start()
        assert camera.wait_connected(PATIENCE_S)
        assert eventually(lambda: camera.publish_frame(b"again"))
    assert (camera.frames_published, camera.frames_not_sent >= 2) == (2, True)
    assert gateway.channel("frame")[0] == b"seen"
    assert b"void" not in gateway.channel("frame")


def test_a_device_starts_and_stops_without_a_broker(mosquitto: Broker) -> None:
    """No broker at all: starting returns, messages wait, stopping returns."""
    mosquitto.kill()
    with kiosk(mosquitto) as device:
        device.send(feedback())
        assert eventually(lambda: device.trouble is not None)
        assert f":{mosquitto.port} is away" in str(device.trouble)
        assert not device.connected
        assert device.pending() == 1


def test_a_missing_password_file_is_one_clear_error(tmp_path: Path) -> None:
    """Credentials are read at once; what cannot be read is named with its file."""
    mqtt = MqttSettings(username="till", password_file=tmp_path / "none")
    with pytest.raises(BusError, match=r"read password: .*none"):
        ReferenceDevice(store="shop", device=Device("pos", "till-1"), mqtt=mqtt)


def test_a_broken_certificate_is_one_clear_error(tmp_path: Path) -> None:
    """A CA file that is no PEM is refused before any connection is tried."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(BusError, match=r"read certificates: .*ca\.pem"):
        ReferenceDevice(store="shop", device=Device("pos", "till-1"), mqtt=MqttSettings(ca_file=tmp_path / "ca.pem"))


def test_an_acknowledgement_is_what_the_gateway_sends() -> None:
    """The test's gateway writes acknowledgements in the shape of the typed message."""
    assert Ack.model_validate_json(json.dumps({"message_ids": [str(UUID(int=1))]})).message_ids == (UUID(int=1),)
