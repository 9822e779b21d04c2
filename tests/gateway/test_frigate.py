"""A Frigate NVR on a real broker: its events are counted by the running gateway, and what is none of them is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from frigate_nvr import Way, events, state, walk
from gateway_process import GatewayProcess, PlainDevice, until

CARD = "4111111111111111"
DOWN: dict[str, Any] = {"from_y": 280, "to_y": 640}
UP: dict[str, Any] = {"from_y": 640, "to_y": 280}


def publish(device: PlainDevice, *told: list[dict[str, Any]]) -> int:
    """Send events in the order of their times; how many."""
    ordered = sorted((one for way in told for one in way), key=lambda one: one["after"]["frame_time"])
    for event in ordered:
        device.speak_as_frigate("events", event)
    return len(ordered)


def heard(gateway: GatewayProcess, count: int) -> None:
    until(lambda: gateway.counter("frigate_messages") == count, what=f"{count} messages of Frigate")


def way(*, ago_s: float = 12, x: float = 640, looks: int = 5, **heights: Any) -> Way:
    return walk(time.time() - ago_s, x=x, seconds=4, looks=looks, **heights)


def test_somebody_whom_frigate_saw_comes_in(gateway: GatewayProcess, device: PlainDevice) -> None:
    """One person walks over the line: one in, nobody out, at a camera that never sent a picture."""
    count = publish(device, events("1.0-a", way(**DOWN)))
    until(lambda: gateway.total("visits", "in") == 1, what="the crossing")
    heard(gateway, count)
    assert gateway.total("visits", "out") == 0
    assert gateway.rows("SELECT DISTINCT place FROM windows WHERE metric = 'visits'") == [("nvr/door",)]
    assert gateway.rows("SELECT kind, id, state FROM devices") == [("frigate", "nvr", "online")]


def test_two_at_once_one_each_way(gateway: GatewayProcess, device: PlainDevice) -> None:
    """Their events are mingled as an NVR mingles them."""
    publish(device, events("1.0-a", way(x=500, **DOWN)), events("2.0-b", way(ago_s=11.6, x=800, **UP)))
    until(lambda: gateway.total("visits", "in") + gateway.total("visits", "out") == 2, what="both")
    assert (gateway.total("visits", "in"), gateway.total("visits", "out")) == (1, 1)


def test_cars_and_doubts_and_repeats_do_not_count(gateway: GatewayProcess, device: PlainDevice) -> None:
    """A car, something Frigate is not sure of, and every event of one person three times over: one in."""
    doubted = [{**one, "after": {**one["after"], "false_positive": True}} for one in events("3.0-c", way(**DOWN))]
    person = events("1.0-a", way(**DOWN))
    count = publish(device, events("2.0-b", way(**DOWN), label="car"), doubted)
    for _ in range(3):
        count += publish(device, person)
    heard(gateway, count)
    until(lambda: gateway.counter("repeated") == 2 * len(person), what="the repeats to be seen")
    assert (gateway.total("visits", "in"), gateway.total("visits", "out")) == (1, 0)


def test_an_end_alone_counts(gateway: GatewayProcess, device: PlainDevice) -> None:
    """The gateway came late: `before` and `after` of the last word are all it has."""
    now_s = time.time()
    before, after = state("1.0-a", now_s - 9, (640, 300)), state("1.0-a", now_s - 6, (640, 620))
    device.speak_as_frigate("events", {"type": "end", "before": before, "after": after})
    until(lambda: gateway.total("visits", "in") == 1, what="the crossing")


def test_the_count_in_view_is_shown(gateway: GatewayProcess, device: PlainDevice) -> None:
    """`frigate/{camera}/person` is the number of people in view, where the notice hangs."""
    device.speak_as_frigate("Front_Door/person", b"3")
    until(lambda: gateway.gauge("people_visible/nvr") == 3, what="three in view")
    device.speak_as_frigate("Back_Door/person", b"4")
    until(lambda: gateway.counter("frames_refused") == 1, what="the refusal")
    assert gateway.gauge("people_visible/unsigned") == 0


def test_a_zone_without_an_attested_notice_counts_nobody(gateway: GatewayProcess, device: PlainDevice) -> None:
    """Frigate may watch there; we do not count."""
    count = publish(device, events("1.0-a", way(**DOWN), camera="Back_Door"))
    until(lambda: gateway.counter("frames_refused") == count, what="the refusals")
    assert gateway.rows("SELECT * FROM windows") == []


def spoiled() -> list[tuple[str, dict[str, Any] | bytes, str]]:
    good = events("1.0-a", way(**DOWN))[0]

    def after(**changes: Any) -> dict[str, Any]:
        return {**good, "after": {**good["after"], **changes}}

    return [
        ("not JSON", f"online {CARD}".encode(), "not-json"),
        ("no object", b"[1, 2]", "invalid"),
        ("another type", {**good, "type": "gone"}, "invalid"),
        ("no before", {key: value for key, value in good.items() if key != "before"}, "invalid"),
        ("a box inside out", after(box=[500, 300, 400, 600]), "invalid"),
        ("a box without height", after(box=[400, 300, 500, 300]), "invalid"),
        ("three corners", after(box=[400, 300, 500]), "invalid"),
        ("no number", json.dumps(after(score="?")).replace('"?"', "NaN").encode(), "invalid"),
        ("a score of a hundred", after(score=100), "invalid"),
        ("a time before time", after(frame_time=-1.0), "invalid"),
        ("a time far away", after(frame_time=1e18), "invalid"),
        ("a long name", after(id=CARD * 9), "invalid"),
        ("no name", after(id=""), "invalid"),
        ("a camera of nobody", after(camera=CARD), "unknown-device"),
        ("a box of another stream", after(box=[1500, 400, 1700, 900]), "outside-picture"),
        ("too much", {**good, "thumbnail": "A" * 300_000}, "too-large"),
    ]


def test_what_is_no_event_is_a_dead_letter(gateway: GatewayProcess, device: PlainDevice) -> None:
    """Malformed and hostile payloads are refused by name, keep nothing of themselves, and stop nothing."""
    wrong = spoiled()
    for _, payload, _ in wrong:
        device.speak_as_frigate("events", payload)
    until(lambda: gateway.counter("dead_letters") == len(wrong), what="the dead letters")
    reasons = [row[0] for row in gateway.rows("SELECT reason FROM dead_letters ORDER BY seq")]
    assert reasons == [reason for _, _, reason in wrong]
    assert gateway.rows("SELECT DISTINCT topic FROM dead_letters") == [("frigate/events",)]
    publish(device, events("1.0-a", way(**DOWN)))
    until(lambda: gateway.total("visits", "in") == 1, what="somebody after all that")
    gateway.stop()
    assert not any(CARD.encode() in path.read_bytes() for path in gateway.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("killed_after", [2, 4])
def test_a_gateway_killed_in_the_middle_counts_once(
    gateway: GatewayProcess, device: PlainDevice, killed_after: int
) -> None:
    """Kill -9 in the middle of a visit, and every event again afterwards: one in."""
    told = events("1.0-a", way(looks=7, **DOWN))
    publish(device, told[:killed_after])
    heard(gateway, killed_after)
    gateway.kill()
    gateway.start()
    publish(device, told)
    until(lambda: gateway.total("visits", "in") == 1, what="the crossing")
    heard(gateway, killed_after + len(told))
    assert (gateway.total("visits", "in"), gateway.total("visits", "out")) == (1, 0)
