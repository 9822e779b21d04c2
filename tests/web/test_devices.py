"""How the devices are: what ails a camera is said with what to do, and its pictures are accounted for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from edge.camera.health import COMPLAINTS as JUDGED
from edge.messages import Device
from edge.settings import Settings
from edge.status import COMPLAINTS, complaints_of, read_status
from edge.storage.store import Store
from edge.web.figures import CameraPictures
from edge.web.language import Speech
from edge.web.presenter import present
from edge.web.reading import read_today
from edge.web.view import View

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)


def page(settings: Settings, *, at: datetime = NOON) -> View:
    return present(read_today(settings, at=at), say=Speech("en"))


def online(store: Store, *cameras: str) -> None:
    with store.transaction() as tx:
        for camera in cameras:
            tx.device_seen(Device("camera", camera), at=NOON)


def test_every_complaint_is_known() -> None:
    """The list here is the one that cameras are judged by."""
    assert set(COMPLAINTS) == set(JUDGED)


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_what_ails_a_camera_is_said(settings: Settings, store: Store, complaint: str) -> None:
    """The device shows it, a notice says what to do, and both are gone when it is well again."""
    online(store, "east", "west")
    with store.transaction() as tx:
        tx.gauge(f"camera_{complaint}/east", 1.0, at=NOON)
        tx.gauge(f"camera_{complaint}/west", 0.0, at=NOON)
    view = page(settings)
    assert [(device.name, device.state) for device in view.devices[:3]] == [
        ("till-1", "never"),
        ("east", "trouble"),
        ("west", "online"),
    ]
    (notice,) = view.notices
    assert notice.level == "warn"
    assert notice.text.startswith("east: ")
    assert view.devices_summary == "2 of 3 need a look"
    with store.transaction() as tx:
        tx.gauge(f"camera_{complaint}/east", 0.0, at=NOON)
    assert page(settings).notices == ()


def test_many_cameras_in_the_dark_are_one_notice(settings: Settings, store: Store) -> None:
    """However many have the same ill, the page has one line for it."""
    online(store, "east", "west")
    with store.transaction() as tx:
        for camera in ("east", "west"):
            tx.gauge(f"camera_dark/{camera}", 1.0, at=NOON)
    assert [notice.text for notice in page(settings).notices] == [
        "east, west: the picture is dark. Is the light on there?"
    ]


def test_a_camera_that_is_gone_is_not_asked_how_it_sees(settings: Settings, store: Store) -> None:
    """Offline outweighs an old complaint: the picture may be well by now, the camera is not."""
    with store.transaction() as tx:
        tx.device_seen(Device("camera", "east"), at=NOON, state="offline")
        tx.device_seen(Device("camera", "west"), at=NOON)
        tx.gauge("camera_dark/east", 1.0, at=NOON)
    (notice,) = page(settings).notices
    assert notice.text == "Offline: east. Nobody is counted there until it is back. Check its power and network."


def test_no_camera_has_reported(settings: Settings, store: Store) -> None:
    """A shop whose till works and whose cameras have never spoken is told what to do."""
    with store.transaction() as tx:
        tx.device_seen(Device("pos", "till-1"), at=NOON)
    (notice,) = page(settings).notices
    assert (notice.level, notice.text[:35]) == ("info", "No camera has reported yet: switch ")


def test_a_camera_behind_frigate_is_heard_through_it(make_settings: Callable[..., Settings], store: Store) -> None:
    """What Frigate tells of a camera makes it seen, once, and counts the people in its view."""
    settings = make_settings(cameras=[{"id": "east", "zone": "entrance", "frigate_name": "front"}])
    assert [device.kind for device in read_today(settings, at=NOON).devices][:1] == ["frigate"]
    with store.transaction() as tx:
        tx.device_seen(Device("frigate", "east"), at=NOON)
        tx.gauge("people_visible/east", 2, at=NOON)
    devices = read_today(settings, at=NOON).devices
    assert [(device.kind, device.id, device.state, device.zone, device.people_visible) for device in devices] == [
        ("pos", "till-1", "never", "Entrance", None),
        ("frigate", "east", "online", "Entrance", 2),
    ]


def test_pictures_are_accounted_for(settings: Settings, store: Store) -> None:
    """What came, what was looked at, spared and overtaken, for two minutes; then that none comes; before, nothing."""
    online(store, "east")
    assert page(settings).pictures.why == ""
    with store.transaction() as tx:
        for fate, number in (("received", 300), ("analysed", 190.4), ("spared", 98), ("superseded", 12)):
            tx.gauge(f"frames_{fate}/east", number, at=NOON)
    assert read_today(settings, at=NOON).pictures == (CameraPictures("east", 300, 190, 98, 12),)
    later = page(settings, at=NOON + timedelta(seconds=121))
    assert later.pictures.cameras == ()
    assert later.pictures.none == "No camera has sent a picture in the last two minutes."


def test_status_tells_the_same(settings: Settings, store: Store, remember: Callable[..., None]) -> None:
    """`threshold status` has the occupancy and the complaints that the page has."""
    from edge.facts import Crossing

    remember([*[Crossing(NOON, "east", "door", "in")] * 3, Crossing(NOON, "east", "door", "out")])
    with store.transaction() as tx:
        tx.gauge("camera_covered/east", 1.0, at=NOON)
        tx.gauge("camera_dark/east", 1.0, at=NOON)
    status = read_status(settings, clock=lambda: NOON)
    assert status["occupancy"] == read_today(settings, at=NOON).footfall.occupancy == 2
    assert status["complaints"] == {"east": ["dark", "covered"]}


def test_other_gauges_are_no_complaints() -> None:
    """Only what cameras are judged by is one, and only of a named camera."""
    assert complaints_of({"camera_dark": 1.0, "camera_frames/east": 5.0, "dark/east": 1.0, "camera_dark/": 1.0}) == {}
