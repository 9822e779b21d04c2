"""Topics: the grammar of design section 3, and Frigate's two that we understand.

`threshold/v1/{store}/{kind}/{device}/{channel}`; nothing outside it has a name here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

from edge.errors import MessageRejected
from edge.messages import DEVICE_ID, Device, DeviceKind

__all__ = [
    "SPOKEN",
    "Channel",
    "FrigateTopic",
    "Subscription",
    "Topic",
    "gateway_status_topic",
    "gateway_subscriptions",
    "parse_topic",
    "topic_for",
]

Channel = Literal[
    "frame",
    "detections",
    "silhouette",
    "measurement",
    "transaction",
    "feedback",
    "status",
    "recommendation",
    "ack",
    "config",
]

SPOKEN: Mapping[DeviceKind, frozenset[Channel]] = {
    "camera": frozenset({"frame", "detections", "status"}),
    "mirror": frozenset({"silhouette", "measurement", "status"}),
    "pos": frozenset({"transaction", "status"}),
    "kiosk": frozenset({"feedback", "status"}),
}
"""What each kind of device may say. The other channels are the gateway's own voice."""

_CHANNELS: frozenset[str] = frozenset(get_args(Channel))
_GRAMMAR = re.compile(
    rf"threshold/v1/(?P<store>{DEVICE_ID.pattern})/(?P<kind>{'|'.join(SPOKEN)})/(?P<device>{DEVICE_ID.pattern})/(?P<channel>[a-z]{{1,20}})"
)
_FRIGATE_PERSON = re.compile(r"frigate/(?P<camera>[A-Za-z0-9_-]{1,64})/person")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of ours; `str()` is what goes on the wire."""

    store: str
    device: Device
    channel: Channel

    def __post_init__(self) -> None:
        if not (DEVICE_ID.fullmatch(self.store) and DEVICE_ID.fullmatch(self.device.id) and self.device.kind in SPOKEN):
            raise ValueError("a topic's store and device are [a-z0-9-]{1,40}, its kind one of ours")

    def __str__(self) -> str:
        return f"threshold/v1/{self.store}/{self.device.kind}/{self.device.id}/{self.channel}"


@dataclass(frozen=True, slots=True)
class FrigateTopic:
    """A topic of a Frigate NVR: its events (`camera` is None: the event names it), or the people one camera sees."""

    camera: str | None

    def __str__(self) -> str:
        return "frigate/events" if self.camera is None else f"frigate/{self.camera}/person"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic filter. `state`: a retained message is wanted at once; else it is a stale event and is not."""

    filter: str
    qos: Literal[0, 1]
    state: bool = False


def parse_topic(topic: str) -> Topic | FrigateTopic:
    """What `topic` names.

    Raises:
        MessageRejected: `unknown-topic`, outside the grammar. The topic itself is not repeated: anybody may have written it.
    """
    if topic == "frigate/events":
        return FrigateTopic(camera=None)
    if person := _FRIGATE_PERSON.fullmatch(topic):
        return FrigateTopic(camera=person["camera"])
    found = _GRAMMAR.fullmatch(topic)
    if found is None or not _is_channel(channel := found["channel"]):
        raise MessageRejected("unknown-topic", "a topic outside the grammar")
    return Topic(found["store"], Device(_kind(found["kind"]), found["device"]), channel)


def topic_for(store: str, device: Device, channel: Channel) -> str:
    """The topic of `device`'s `channel`, as it goes on the wire."""
    return str(Topic(store, device, channel))


def gateway_status_topic(store: str) -> str:
    """Where the gateway itself says online and its last will offline (retained)."""
    return f"threshold/v1/{store}/gateway/gateway/status"


def gateway_subscriptions(store: str) -> tuple[Subscription, ...]:
    """All that the gateway of `store` listens to. No two filters overlap, so nothing is delivered twice.

    Kinds are wildcards but for `status`: a device that speaks on a channel not its own shall be seen as a dead letter,
    and the gateway need not hear its own status.
    """
    root = f"threshold/v1/{store}"
    events = ("detections", "silhouette", "measurement", "transaction", "feedback")
    return (
        Subscription(f"{root}/+/+/frame", qos=0),
        *(Subscription(f"{root}/+/+/{channel}", qos=1) for channel in events),
        *(Subscription(f"{root}/{kind}/+/status", qos=1, state=True) for kind in SPOKEN),
        Subscription("frigate/events", qos=1),
        Subscription("frigate/+/person", qos=1, state=True),
    )


def _is_channel(word: str) -> TypeGuard[Channel]:
    return word in _CHANNELS


def _kind(word: str) -> DeviceKind:
    return next(kind for kind in SPOKEN if kind == word)
