"""The door: every message comes out typed or refused, and a refusal repeats nothing of it."""

import contextlib
import hashlib
import json
from datetime import UTC, datetime, timedelta

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.bus.dead_letters import UNRECOGNISED, dead_letter_of
from edge.bus.inbound import Inbound, Limits
from edge.bus.registry import DeviceRegistry
from edge.errors import MessageRejected
from edge.messages import (
    CameraDetections,
    CameraFrame,
    Device,
    DeviceStatus,
    FrigateEvent,
    FrigatePersonCount,
    KioskFeedback,
    MirrorMeasurement,
    MirrorSilhouette,
    PosTransaction,
    Receipt,
    Received,
)
from edge.settings import Settings

MESSAGE_ID = "66b5182e-ba75-4bc9-bc93-e2aae1c199d0"
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CARD = "4111111111111111"
ZONE = {"id": "hall"}
STORE = Settings.model_validate(
    {
        "store": {"id": "shop-1"},
        "zones": [ZONE],
        "cameras": [{"id": "door", "zone": "hall", "frigate_name": "Front_Door"}],
        "mirrors": [{"id": "fit", "zone": "hall"}],
        "tills": [{"id": "till-1", "zone": "hall"}],
        "kiosks": [{"id": "exit", "zone": "hall"}],
    }
)
ROOT = "threshold/v1/shop-1"


def door(**limits):
    return Inbound(store="shop-1", devices=DeviceRegistry.of(STORE), limits=Limits(**limits))


def take(topic, payload, *, inbound=None, at=NOW, receipt=None):
    return (inbound or door()).take(topic, payload, received_at=at, receipt=receipt)


def refusal(topic, payload, **options):
    with pytest.raises(MessageRejected) as refused:
        take(topic, payload, **options)
    return refused.value


def effective(**fields):
    return {"message_id": MESSAGE_ID, "captured_at": NOW.isoformat(), **fields}


def as_json(**fields):
    return json.dumps(effective(**fields)).encode()


SALE = {
    "currency": "EUR",
    "total_minor": 1999,
    "lines": [{"sku": "tee", "quantity": 1, "total_minor": 1999}],
    "tenders": [{"kind": "card", "amount_minor": 1999}],
}
SEEN = {"id": "1", "camera": "Front_Door", "label": "person", "frame_time": 1.7e9, "box": [1, 2, 3, 4], "score": 0.8}
EVENT = {"type": "update", "before": SEEN, "after": SEEN}


def event(**changes):
    return json.dumps({**EVENT, "after": {**SEEN, **changes}}).encode()


SILHOUETTE = msgpack.packb(effective(session="abcd", front_png=b"\x89PNG", side_png=b"\x89PNG", stature_mm=1700))
MESSAGES = [
    (f"{ROOT}/camera/door/frame", b"\xff\xd8\xff", CameraFrame),
    (
        f"{ROOT}/camera/door/detections",
        as_json(frame_width=640, frame_height=480, detections=[{"box_xyxy": [0, 0, 9, 9], "score": 0.5}]),
        CameraDetections,
    ),
    (f"{ROOT}/camera/door/status", b'{"state":"online"}', DeviceStatus),
    (f"{ROOT}/mirror/fit/silhouette", SILHOUETTE, MirrorSilhouette),
    (
        f"{ROOT}/mirror/fit/measurement",
        as_json(session="abcd", stature_mm=1700, breadths_mm={"chest": 300}),
        MirrorMeasurement,
    ),
    (f"{ROOT}/pos/till-1/transaction", as_json(**SALE), PosTransaction),
    (f"{ROOT}/kiosk/exit/feedback", as_json(mood=5), KioskFeedback),
    ("frigate/events", json.dumps(EVENT).encode(), FrigateEvent),
    ("frigate/Front_Door/person", b"2", FrigatePersonCount),
]


@pytest.mark.parametrize(("topic", "payload", "kind"), MESSAGES, ids=lambda value: getattr(value, "__name__", None))
def test_every_channel_has_its_message(topic, payload, kind):
    """One typed message for each channel that a device may speak on, in its envelope."""
    receipt = Receipt(mid=7, generation=1)
    received = take(topic, payload, receipt=receipt)
    assert isinstance(received.message, kind)
    assert (received.received_at, received.receipt) == (NOW, receipt)


def test_the_device_is_the_topics():
    """Who spoke is read from the topic; Frigate's camera is our camera's id, as kind frigate."""
    assert take(*MESSAGES[0][:2]).device == Device("camera", "door")
    assert take("frigate/Front_Door/person", b"2").device == Device("frigate", "door")
    assert take("frigate/events", json.dumps(EVENT).encode()).device == Device("frigate", "door")


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("threshold/v1/shop-1/camera/door", b"x", "unknown-topic"),
        ("threshold/v1/shop-2/camera/door/frame", b"x", "wrong-store"),
        (f"{ROOT}/camera/window/frame", b"x", "unknown-device"),
        (f"{ROOT}/mirror/door/silhouette", b"x", "unknown-device"),
        ("frigate/Garden/person", b"1", "unknown-device"),
        (f"{ROOT}/camera/door/transaction", as_json(**SALE), "wrong-channel"),
        (f"{ROOT}/pos/till-1/frame", b"\xff\xd8", "wrong-channel"),
        (f"{ROOT}/pos/till-1/ack", b'{"message_ids":[]}', "wrong-channel"),
        (f"{ROOT}/camera/door/config", b"{}", "wrong-channel"),
        (f"{ROOT}/camera/door/frame", b"", "empty"),
        (f"{ROOT}/kiosk/exit/feedback", b"", "empty"),
        (f"{ROOT}/kiosk/exit/feedback", b"{", "not-json"),
        (f"{ROOT}/kiosk/exit/feedback", b"\xff\xfe", "not-json"),
        (f"{ROOT}/kiosk/exit/feedback", b"[" * 20_000, "not-json"),
        (f"{ROOT}/kiosk/exit/feedback", b"9" * 20_000, "not-json"),
        (f"{ROOT}/kiosk/exit/feedback", b"[]", "invalid"),
        (f"{ROOT}/kiosk/exit/feedback", as_json(mood=6), "invalid"),
        (f"{ROOT}/kiosk/exit/feedback", as_json(), "invalid"),
        (f"{ROOT}/pos/till-1/transaction", as_json(**{**SALE, "total_minor": 1}), "invalid"),
        (f"{ROOT}/pos/till-1/transaction", b"<POSLog/>", "unsupported-format"),
        (f"{ROOT}/pos/till-1/transaction", b"\xef\xbb\xbf\n <?xml version='1.0'?>", "unsupported-format"),
        (f"{ROOT}/mirror/fit/silhouette", b"\xc1", "not-msgpack"),
        (f"{ROOT}/mirror/fit/silhouette", SILHOUETTE + b"\x00", "not-msgpack"),
        (f"{ROOT}/mirror/fit/silhouette", SILHOUETTE[:-1], "not-msgpack"),
        (f"{ROOT}/mirror/fit/silhouette", b"\x91" * 50_000, "not-msgpack"),
        (f"{ROOT}/mirror/fit/silhouette", b"\xd6\xff\x00\x00\x00\x00", "not-msgpack"),
        (f"{ROOT}/mirror/fit/silhouette", b"\xdd\xff\xff\xff\xff", "not-msgpack"),
        (f"{ROOT}/mirror/fit/silhouette", b"\x90", "invalid"),
        ("frigate/events", b"online", "not-json"),
        ("frigate/events", b"{}", "invalid"),
        ("frigate/events", event(box=[9, 9, 9, 20]), "invalid"),
        ("frigate/events", event(box=[9, 20, 19, 9]), "invalid"),
        ("frigate/events", event(frame_time=-1), "invalid"),
        ("frigate/events", event(frame_time=1e12), "invalid"),
        ("frigate/events", event(id=""), "invalid"),
        ("frigate/events", event(camera="Garden"), "unknown-device"),
        ("frigate/events", event(box=[1300, 100, 1420, 400]), "outside-picture"),
        ("frigate/events", event(box=[-200, 100, 20, 400]), "outside-picture"),
        ("frigate/events", event(box=[100, 500, 200, 800]), "outside-picture"),
        ("frigate/Front_Door/person", b"-1", "invalid"),
        ("frigate/Front_Door/person", "٣".encode(), "invalid"),
        ("frigate/Front_Door/person", b"9" * 40, "invalid"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(topic, payload, reason):
    """Each kind of wrong has its own fixed word."""
    assert refusal(topic, payload).reason == reason


@pytest.mark.parametrize(
    ("topic", "size"),
    [
        (f"{ROOT}/kiosk/exit/feedback", 32 * 1024),
        (f"{ROOT}/pos/till-1/transaction", 512 * 1024),
        (f"{ROOT}/camera/door/frame", 2_000_000),
        ("frigate/Front_Door/person", 64),
    ],
)
def test_size_is_checked_before_the_payload_is_read(topic, size):
    """One byte past a channel's limit is too large, whatever it holds; the setting is a ceiling over all."""
    assert refusal(topic, b"{" * (size + 1)).reason == "too-large"
    assert refusal(topic, b"x" * 1001, inbound=door(max_payload_bytes=1000)).reason == "too-large"
    if topic.endswith("frame"):
        assert take(topic, b"x" * size).message == CameraFrame(jpeg=b"x" * size)


def test_a_device_that_speaks_too_fast_is_refused_and_comes_back():
    """Past its bucket a device is refused, others are not, and time refills it."""
    inbound = door(messages_per_s=8, backlog_s=2, frame_burst_s=1)
    frame, feedback = MESSAGES[0][:2], MESSAGES[6][:2]
    for _ in range(8):
        take(*frame, inbound=inbound)
    assert refusal(*frame, inbound=inbound).reason == "too-fast"
    for _ in range(16):
        take(*feedback, inbound=inbound)
    assert refusal(*feedback, inbound=inbound).reason == "too-fast"
    later = NOW + timedelta(seconds=0.125)
    take(*frame, inbound=inbound, at=later)
    assert refusal(*frame, inbound=inbound, at=later).reason == "too-fast"
    assert refusal(*frame, inbound=inbound, at=NOW - timedelta(hours=1)).reason == "too-fast"


def test_a_backlog_is_no_flood():
    """With the settings as they come, a till that was away brings 20,000 sales at once and all are taken."""
    inbound = Inbound.of(STORE)
    topic, payload, _ = MESSAGES[5]
    for _ in range(20_000):
        inbound.take(topic, payload, received_at=NOW, receipt=None)


def test_strangers_cost_no_memory():
    """A device that is not registered never gets a bucket: their number is the registry's."""
    inbound = door()
    for n in range(100):
        refusal(f"{ROOT}/camera/cam-{n}/frame", b"x", inbound=inbound)
        refusal(f"frigate/cam-{n}/person", b"1", inbound=inbound)
    assert len(inbound._events._buckets) <= 6


def test_a_refusal_repeats_nothing_of_the_payload():
    """A card number in a value, in a key, or in a field that does not belong is not in the error."""
    spoiled = [
        (f"{ROOT}/mirror/fit/measurement", as_json(session="abcd", stature_mm=1700, breadths_mm={CARD: -1})),
        (f"{ROOT}/mirror/fit/measurement", as_json(session="abcd", stature_mm=CARD)),
        (f"{ROOT}/pos/till-1/transaction", as_json(**{**SALE, "currency": CARD, CARD: CARD})),
        (f"{ROOT}/pos/till-1/transaction", b'{"pan":' + CARD.encode()),
        (f"{ROOT}/mirror/fit/silhouette", msgpack.packb({CARD: CARD, "session": CARD * 9})),
        (f"{ROOT}/camera/{CARD}/frame", b"x"),
        (f"{CARD}/{CARD}", CARD.encode()),
    ]
    for topic, payload in spoiled:
        error = refusal(topic, payload)
        letter = dead_letter_of(error, topic, payload)
        assert CARD not in f"{error} {letter!r} {error.__cause__!r}"
        assert error.__suppress_context__ or error.__context__ is None
        assert (letter.size, letter.sha256) == (len(payload), hashlib.sha256(payload).hexdigest())


def test_a_dead_letter_keeps_a_topic_that_is_ours():
    """Staff can see which device spoke nonsense; a topic that is none of ours is not kept."""
    error = MessageRejected("invalid", "")
    assert dead_letter_of(error, f"{ROOT}/camera/door/detections", b"").topic == f"{ROOT}/camera/door/detections"
    assert dead_letter_of(error, "frigate/Front_Door/person", b"").topic == "frigate/Front_Door/person"
    assert dead_letter_of(error, f"{ROOT}/camera/{CARD}/frame", b"").topic == f"{ROOT}/camera/*/frame"
    assert dead_letter_of(error, f"secret/{CARD}", b"").topic == UNRECOGNISED


TOPICS = st.sampled_from([topic for topic, _, _ in MESSAGES]) | st.text(max_size=80)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(NOW.isoformat()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELD_NAMES = st.sampled_from(
    sorted(
        field
        for kind in (CameraDetections, DeviceStatus, FrigateEvent, MirrorMeasurement, MirrorSilhouette, PosTransaction)
        for field in kind.model_fields
    )
)
OBJECTS = st.dictionaries(FIELD_NAMES, VALUES, max_size=8)


def _packed(value):
    try:
        return msgpack.packb(value)
    except (OverflowError, ValueError):
        return b"\xc1"


PAYLOADS = (
    st.binary(max_size=200)
    | (VALUES | OBJECTS).map(lambda value: json.dumps(value).encode())
    | (VALUES | OBJECTS).map(_packed)
    | st.sampled_from([payload for _, payload, _ in MESSAGES])
)


@settings(max_examples=400, deadline=None)
@given(TOPICS, PAYLOADS)
def test_only_a_message_or_a_refusal_comes_out(topic, payload):
    """Whatever arrives, on whatever topic: one `Received` or `MessageRejected`, and a dead letter can be made of it."""
    try:
        received = take(topic, payload)
    except MessageRejected as error:
        letter = dead_letter_of(error, topic, payload)
        assert letter.topic in {topic, UNRECOGNISED} or "*" in letter.topic
    else:
        assert isinstance(received, Received)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MESSAGES), st.data())
def test_a_damaged_message_is_taken_or_refused(message, data):
    """Flip, cut or repeat any part of a good message: never anything but a message or a refusal."""
    topic, payload, _ = message
    at = data.draw(st.integers(0, len(payload)))
    damaged = payload[:at] + data.draw(st.binary(max_size=4)) + payload[at + data.draw(st.integers(0, 4)) :]
    with contextlib.suppress(MessageRejected):
        assert isinstance(take(topic, damaged), Received)


def test_the_same_news_of_frigate_has_the_same_id():
    """Delivered twice it is recognised; another kind of news, or of another moment or object, is another."""
    ids = [
        take("frigate/events", payload).message.message_id
        for payload in (
            event(),
            event(),
            event(frame_time=SEEN["frame_time"] + 0.1),
            event(id="2.0-b"),
            json.dumps({**EVENT, "type": "end"}).encode(),
        )
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


def test_the_registry_holds_what_store_toml_holds():
    """Every table of devices is heard, and a camera with a frigate_name also through Frigate."""
    registry = DeviceRegistry.of(STORE)
    kinds = {("camera", "door"), ("mirror", "fit"), ("pos", "till-1"), ("kiosk", "exit"), ("frigate", "door")}
    assert {(device.kind, device.id) for device in registry.devices} == kinds
    assert registry.behind_frigate("Front_Door") == Device("frigate", "door")
    assert registry.behind_frigate("door") is None
