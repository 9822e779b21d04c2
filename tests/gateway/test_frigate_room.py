"""What Frigate says in the cameras' room: every receipt comes back, also when something breaks on it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from frigate_nvr import events, walk

from edge.app import _frame_letter
from edge.bus.dead_letters import DeadLetter
from edge.camera.pipeline import FrameResult, Timings
from edge.cameras import Cameras
from edge.errors import MessageRejected
from edge.gateway import DeviceReplies
from edge.messages import Ack, Device, FrigateEvent, FrigatePersonCount, Receipt, Received
from edge.outcome import Outcome

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NVR = Device("frigate", "door")
PATIENCE_S = 30


class Frigate:
    """Breaks on events, and counts people."""

    def take(self, message: FrigateEvent | FrigatePersonCount, *, received_at: datetime) -> FrameResult:
        if isinstance(message, FrigateEvent):
            raise RuntimeError("pixels")
        return FrameResult((), message.count, Timings(), received_at)


def test_an_event_that_something_breaks_on_is_a_dead_letter_with_its_receipt() -> None:
    """The thread lives on, and says of the next message what it came to."""
    outcomes: list[Outcome] = []
    counts: list[str] = []
    done = threading.Semaphore(0)

    def deliver(outcome: Outcome) -> None:
        outcomes.append(outcome)
        done.release()

    nobody: Any = None
    cameras = Cameras(
        {"door": nobody},
        threads=1,
        deliver=deliver,
        count=counts.append,
        gauge=lambda _name, _value: None,
        dead_letter=lambda error, _: DeadLetter(error.reason, "frigate/events", 0, ""),
        merge=lambda facts: facts,
        frigate={"door": Frigate()},  # type: ignore[dict-item]
    )
    cameras.start()
    (event, *_) = (
        FrigateEvent.model_validate(one) for one in events("1.0-a", walk(9.0, from_y=300, to_y=600, seconds=2, looks=3))
    )
    cameras.offer(Received(NVR, event, NOON, Receipt(7, 1)))
    cameras.offer(Received(NVR, FrigatePersonCount(2), NOON, Receipt(8, 1)))
    assert all(done.acquire(timeout=PATIENCE_S) for _ in range(2))
    cameras.stop()
    broken, counted = outcomes
    assert (broken.receipt, broken.message_id) == (Receipt(7, 1), event.message_id)
    assert broken.dead_letter is not None
    assert broken.dead_letter.reason == "failed"
    assert (counted.receipt, counted.message_id, counted.people_visible) == (Receipt(8, 1), None, 2)
    assert counts == ["camera_failures", "frigate_messages"]


def test_an_nvr_is_sent_no_ack() -> None:
    """It has no topic of ours to hear one on."""

    class Silence:
        def ack(self, receipt: Receipt) -> None:
            raise AssertionError("no receipt")

        def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
            raise AssertionError(topic)

    DeviceReplies(Silence(), store="shop").send_ack(NVR, Ack(message_ids=()))


def test_its_dead_letter_names_frigates_topic() -> None:
    """What breaks in the room is written down under the topic that it came by."""
    received = Received(NVR, FrigatePersonCount(2), NOON, None)
    letter = _frame_letter(MessageRejected("failed", "RuntimeError"), received, store="shop")
    assert (letter.reason, letter.topic) == ("failed", "frigate/events")
