"""The device registry: who is known in this store. A device that is not here is not listened to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.messages import Device
from edge.settings import Settings

__all__ = ["DeviceRegistry"]


@dataclass(frozen=True, slots=True)
class DeviceRegistry:
    """Every device of a store, and which of its cameras Frigate knows by which name."""

    devices: frozenset[Device]
    frigate_cameras: Mapping[str, str] = field(default_factory=dict)
    frigate_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Width and height of Frigate's detect stream, by Frigate's own name of the camera."""

    @classmethod
    def of(cls, settings: Settings) -> DeviceRegistry:
        """The devices in `store.toml`. A camera with a `frigate_name` is also heard through Frigate."""
        frigate = {camera.frigate_name: camera.id for camera in settings.cameras if camera.frigate_name}
        return cls(
            devices=frozenset(
                [
                    *(Device("camera", camera.id) for camera in settings.cameras),
                    *(Device("mirror", mirror.id) for mirror in settings.mirrors),
                    *(Device("pos", till.id) for till in settings.tills),
                    *(Device("kiosk", kiosk.id) for kiosk in settings.kiosks),
                    *(Device("frigate", camera) for camera in frigate.values()),
                ]
            ),
            frigate_cameras=frigate,
            frigate_sizes={
                camera.frigate_name: camera.frigate_size for camera in settings.cameras if camera.frigate_name
            },
        )

    def knows(self, device: Device) -> bool:
        """Whether `device` is registered, kind and id together."""
        return device in self.devices

    def behind_frigate(self, name: str) -> Device | None:
        """The device that Frigate's camera `name` stands for: kind `frigate`, and the id of our own camera."""
        camera = self.frigate_cameras.get(name)
        return None if camera is None else Device("frigate", camera)
