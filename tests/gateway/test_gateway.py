"""The gateway as a process, on a real broker: what counts, what is refused, what survives."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import cv2
import msgpack
import numpy as np
from gateway_process import sale, until

CARD = "4111 1111 1111 1111"


def walk(device, *, camera="door", steps=12):
    """A person walks down through the middle, as a camera that infers itself reports it."""
    start = datetime.now(UTC).timestamp()
    for step in range(steps):
        top = 40 + 30 * step
        device.say(
            f"camera/{camera}/detections",
            {
                "message_id": str(uuid4()),
                "captured_at": datetime.fromtimestamp(start + 0.2 * step - 0.2 * steps, UTC).isoformat(),
                "frame_width": 640,
                "frame_height": 480,
                "detections": [{"box_xyxy": [300, top - 100, 350, top], "score": 0.9}],
            },
        )


def test_a_sale_is_stored_before_its_ack_comes_back(gateway, device):
    """What the ack names is in the database."""
    message = sale(1999)
    device.say("pos/till-1/transaction", message)
    until(lambda: message["message_id"] in device.acked(), what="the ack")
    assert gateway.total("sales", "EUR/sales") == 1
    assert gateway.total("sales", "EUR/total_minor") == 1999


def test_a_message_sent_twice_counts_once_and_is_acknowledged_twice(gateway, device):
    """A device that missed its ack sends again, and must hear it then."""
    message = sale()
    for _ in range(3):
        device.say("pos/till-1/transaction", message)
    until(lambda: device.acked().count(message["message_id"]) >= 2, what="a second ack")
    until(lambda: gateway.counter("repeated") == 2, what="the repeats to be seen")
    assert gateway.total("sales", "EUR/sales") == 1


def test_training_sales_are_acknowledged_and_not_counted(gateway, device):
    """A till in training mode is heard, and sells nothing."""
    message = sale(training=True)
    device.say("pos/till-1/transaction", message)
    until(lambda: message["message_id"] in device.acked(), what="the ack")
    assert gateway.total("sales", "EUR/sales") == 0


def test_a_mirror_without_a_session_is_refused_politely(gateway, device):
    """The gate fails closed: no registry, no inference, a reason for the screen."""
    body = {"message_id": str(uuid4()), "captured_at": datetime.now(UTC).isoformat(), "session": "123456"}
    device.say("mirror/mirror-1/measurement", {**body, "stature_mm": 1750})
    until(lambda: any(topic.endswith("/recommendation") for topic, _ in device.heard), what="the refusal")
    (answer,) = [said for topic, said in device.heard if topic.endswith("/recommendation")]
    assert answer["message_id"] == body["message_id"]
    assert answer["size"] is None
    assert "consent" in answer["refused"]


def test_boxes_from_a_camera_are_tracked_and_counted(gateway, device):
    """A camera that infers on its own chip goes through the same tracker and lines."""
    walk(device)
    until(lambda: gateway.total("visits", "in") == 1, what="the crossing")
    assert gateway.total("visits", "out") == 0


def test_a_zone_without_an_attested_notice_counts_nobody(gateway, device):
    """The camera whose sign nobody has seen is heard, acknowledged and ignored."""
    walk(device, camera="unsigned")
    until(lambda: gateway.counter("frames_refused") == 12, what="twelve refusals")
    until(lambda: len(device.acked()) == 12, what="the acks")
    assert gateway.rows("SELECT * FROM windows") == []


def test_what_cannot_be_taken_becomes_a_dead_letter_without_its_payload(gateway, device):
    """Reason, topic, size and hash; no byte of the payload, in no file and no log."""
    device.say("pos/till-1/transaction", f"not json, but {CARD}".encode())
    device.say("pos/till-1/transaction", sale(card_note=CARD, total_minor=1) | {"currency": CARD})
    device.say("pos/stranger/transaction", sale())
    device.say(f"pos/{CARD.replace(' ', '')}/transaction", sale())
    device.say("mirror/mirror-1/silhouette", msgpack.packb({"session": CARD}))
    until(lambda: gateway.counter("dead_letters") == 5, what="five dead letters")
    assert gateway.total("sales", "EUR/sales") == 0
    gateway.stop()
    for path in gateway.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert CARD.encode() not in content
            assert CARD.replace(" ", "").encode() not in content


def test_no_byte_of_a_picture_reaches_the_disk(gateway, device):
    """Frames go through inference and die in memory: not the JPEG, not its pixels, anywhere in the folder."""
    rng = np.random.default_rng(7)
    picture = rng.integers(0, 255, (240, 320, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    bomb = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01" + jpeg[200:]
    for _ in range(3):
        device.say("camera/door/frame", jpeg, qos=0)
        until(lambda: gateway.counter("frames") >= 1, what="a frame")
    device.say("camera/door/frame", bomb, qos=0)
    until(lambda: gateway.counter("dead_letters") == 1, what="the bomb to be refused")
    gateway.stop()
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    needles = [jpeg[i : i + 24] for i in range(600, len(jpeg) - 24, 997)] + [
        decoded[y].tobytes()[:48] for y in range(0, 240, 16)
    ]
    files = [path for path in gateway.folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert not any(needle in content for needle in needles), path
        assert b"\xff\xd8\xff" not in content, path
        assert b"\x89PNG" not in content, path


def test_nothing_is_lost_or_doubled_over_kill_9(gateway, device):
    """The gateway is killed in the middle of a stream; what was acknowledged is there, the rest comes again, once."""
    messages = [sale(100 + i) for i in range(300)]
    for i, message in enumerate(messages):
        device.say("pos/till-1/transaction", message)
        if i in {100, 200}:
            gateway.kill()
            gateway.start()
    until(lambda: len(set(device.acked())) == 300, what="300 acks")
    assert gateway.total("sales", "EUR/sales") == 300
    assert gateway.total("sales", "EUR/total_minor") == sum(message["total_minor"] for message in messages)


def test_a_device_that_goes_is_reported_and_comes_back(gateway, device):
    """A status changes the device's state and makes one event each time."""
    for state in ("online", "offline", "online"):
        device.say("camera/door/status", {"state": state, "firmware": "1.2"})
    until(lambda: len(gateway.rows("SELECT * FROM outbox")) == 3, what="three events")
    assert gateway.rows("SELECT state, firmware FROM devices") == [("online", "1.2")]
    states = [json.loads(row[0])["data"]["state"] for row in gateway.rows("SELECT event FROM outbox ORDER BY sequence")]
    assert states == ["online", "offline", "online"]


def test_a_second_gateway_on_the_same_store_is_refused(gateway, tmp_path: Path):
    """One owner a database: the second says so in one line."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "edge.cli", "gateway", "--config", str(gateway.config)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "owned by another process" in done.stderr.splitlines()[-1]


def test_it_ends_cleanly_when_told(gateway, device):
    """SIGTERM: what was taken is committed, exit status 0."""
    message = sale()
    device.say("pos/till-1/transaction", message)
    until(lambda: message["message_id"] in device.acked(), what="the ack")
    assert gateway.stop() == 0
    assert gateway.total("sales", "EUR/sales") == 1
