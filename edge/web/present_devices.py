"""How the devices are, put into words: each with its state, what to do about those that need a hand, and their pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge.clock import epoch_s
from edge.web.figures import CAMERA_KINDS, DeviceSeen, Today
from edge.web.language import Speech
from edge.web.view import DeviceRow, NoticeRow, PicturesRow, PicturesView

__all__ = ["present_device_notices", "present_devices", "present_pictures", "say_devices"]

_KINDS = {
    "camera": "kind_camera",
    "mirror": "kind_mirror",
    "pos": "kind_pos",
    "kiosk": "kind_kiosk",
    "frigate": "kind_frigate",
}
_STATES = {"online": "state_online", "offline": "state_offline", "never": "state_never"}
_SEEN = {
    "dark": "seen_dark",
    "covered": "seen_covered",
    "moved": "seen_moved",
    "blurred": "seen_blurred",
    "frozen": "seen_frozen",
}
_MEND = {
    "dark": "mend_dark",
    "covered": "mend_covered",
    "moved": "mend_moved",
    "blurred": "mend_blurred",
    "frozen": "mend_frozen",
}


def present_devices(today: Today, *, say: Speech) -> Iterator[DeviceRow]:
    """Every device in the order of `today`."""
    for device in today.devices:
        kind = say(_KINDS[device.kind]) if device.kind in _KINDS else device.kind
        yield DeviceRow(device.id, kind, *_state(device, say=say), " · ".join(_details(device, today, say=say)))


def say_devices(devices: Sequence[DeviceSeen], *, say: Speech) -> str:
    """How many there are, and how many of them need a look."""
    if not devices:
        return say("no_devices")
    total = len(devices)
    away = sum(device.state != "online" or bool(device.complaints) for device in devices)
    if away:
        return say("devices_in_need", away=say.number(away), total=say.number(total))
    return say("devices_all_well", total=say.number(total))


def present_device_notices(today: Today, *, say: Speech) -> Iterator[NoticeRow]:
    """What to do about cameras that see nothing, one line for each ill however many have it: their counts are missing."""
    cameras = [device for device in today.devices if device.kind in CAMERA_KINDS]
    if cameras and all(camera.state == "never" for camera in cameras):
        yield NoticeRow("info", say("no_camera_yet"))
    offline = [camera.id for camera in cameras if camera.state == "offline"]
    if offline:
        yield NoticeRow("warn", say("cameras_offline", cameras=say.together(offline)))
    for complaint, message_id in _MEND.items():
        ill = [camera.id for camera in cameras if complaint in camera.complaints]
        if ill:
            yield NoticeRow("warn", say(message_id, cameras=say.together(ill)))


def present_pictures(today: Today, *, say: Speech) -> PicturesView:
    """What became of each camera's pictures; nothing where none has ever been accounted for, as with Frigate alone."""
    if today.pictures is None:
        return PicturesView((), "", "")
    rows = tuple(
        PicturesRow(of.camera, *(say.number(fate) for fate in (of.received, of.analysed, of.spared, of.superseded)))
        for of in today.pictures
    )
    return PicturesView(rows, "" if rows else say.of_record("no_pictures"), say("pictures_why"))


def _state(device: DeviceSeen, *, say: Speech) -> tuple[str, str]:
    """The sign and the word for it; an online camera that sees nothing is in trouble all the same."""
    if device.complaints:
        return "trouble", say.together(say(_SEEN[complaint]) for complaint in device.complaints)
    return device.state, say(_STATES[device.state])


def _details(device: DeviceSeen, today: Today, *, say: Speech) -> Iterator[str]:
    if device.zone:
        yield device.zone
    if device.last_seen_s is not None:
        yield say("last_heard", ago=say.ago(epoch_s(today.at) - device.last_seen_s))
    if device.people_visible is not None:
        yield say("people_in_view", people=say.number(device.people_visible))
    if device.firmware:
        yield device.firmware
