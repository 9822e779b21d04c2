"""Reads how the devices are: online or not, what ails a camera's picture, and what becomes of its pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from edge.settings import CameraSettings, Settings
from edge.status import complaints_of
from edge.web.figures import CAMERA_KINDS, CameraPictures, DeviceSeen
from edge.web.source import Source

__all__ = ["Gauges", "read_devices", "read_pictures"]

Gauges = Mapping[str, tuple[float, float]]
"""Present values by name, each with the time it was written."""

_FRESH_S = 30
_PICTURES_FRESH_S = 120
_KIND_OF_TABLE = {"cameras": "camera", "mirrors": "mirror", "tills": "pos", "kiosks": "kiosk"}
_STATES = ("offline", "never", "online")


def read_devices(settings: Settings, store: Source, *, gauges: Gauges, at: datetime) -> tuple[DeviceSeen, ...]:
    """Every device heard of or expected, those that need a hand first."""
    rows = {(row["kind"], row["id"]): row for row in store.rows("SELECT * FROM devices")}
    zones = _expected(settings, heard=rows.keys())
    complaints = complaints_of({name: value for name, (value, _) in gauges.items()})
    found = []
    for kind, device_id in sorted({*zones, *rows}):
        row = rows.get((kind, device_id))
        is_online = row is not None and row["state"] == "online"
        is_camera = kind in CAMERA_KINDS
        found.append(
            DeviceSeen(
                kind=kind,
                id=device_id,
                zone=zones.get((kind, device_id), ""),
                state="never" if row is None else "online" if is_online else "offline",
                firmware=row["firmware"] if row else None,
                last_seen_s=row["last_seen_s"] if row else None,
                people_visible=_fresh(gauges, f"people_visible/{device_id}", at=at) if is_camera else None,
                complaints=tuple(complaints.get(device_id, ())) if is_camera and is_online else (),
            )
        )
    return tuple(sorted(found, key=lambda device: (_STATES.index(device.state), not device.complaints)))


def read_pictures(settings: Settings, *, gauges: Gauges, at: datetime) -> tuple[CameraPictures, ...] | None:
    """What became of the pictures of each camera that sends some, as the gateway last reckoned it; None if it never has."""
    if not any(name.startswith("frames_received/") for name in gauges):
        return None
    return tuple(_pictures(settings, gauges=gauges, at=at))


def _pictures(settings: Settings, *, gauges: Gauges, at: datetime) -> Iterator[CameraPictures]:
    for camera in settings.cameras:
        fates = [
            _fresh(gauges, f"frames_{fate}/{camera.id}", at=at, within_s=_PICTURES_FRESH_S)
            for fate in ("received", "analysed", "spared", "superseded")
        ]
        if fates[0] is not None:
            received, analysed, spared, superseded = (fate or 0 for fate in fates)
            yield CameraPictures(camera.id, received, analysed, spared, superseded)


def _expected(settings: Settings, *, heard: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The name of its zone for every device that is set up. What Frigate tells of a camera comes under Frigate's kind."""
    names = {zone.id: zone.name or zone.id for zone in settings.zones}
    found = {}
    for table, devices in settings.devices().items():
        for device in devices:
            kind = _KIND_OF_TABLE[table]
            if isinstance(device, CameraSettings) and device.frigate_name and (kind, device.id) not in heard:
                kind = "frigate"
            found[kind, device.id] = names[device.zone]
    return found


def _fresh(gauges: Gauges, name: str, *, at: datetime, within_s: int = _FRESH_S) -> int | None:
    """The present value of `name`; None once it is older than `within_s`."""
    value, updated_s = gauges.get(name, (0.0, 0.0))
    return round(value) if at.timestamp() - updated_s <= within_s else None
