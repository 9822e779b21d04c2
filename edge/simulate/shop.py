"""A shop full of simulated devices: one for each in `store.toml`, all of them real MQTT clients, the truth known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any, Protocol

import structlog

from edge.clock import Clock, utc_now
from edge.errors import BusError
from edge.messages import Device, DeviceKind
from edge.settings import CameraSettings, DeviceSettings, Settings
from edge.simulate.camera import FrameSender, SimulatedCamera
from edge.simulate.device import ReferenceDevice
from edge.simulate.kept import EVERY_FEW_SECONDS, ResendAfter
from edge.simulate.kiosk import kiosk_sayings
from edge.simulate.mirror import mirror_sayings
from edge.simulate.scene import DoorScene
from edge.simulate.stream import Opening, Saying
from edge.simulate.till import till_sayings
from edge.simulate.truth import SaidTruth
from edge.simulate.video import VideoCamera, VideoSource

__all__ = ["ShopPlan", "SimulatedShop"]

log = structlog.get_logger(__name__)

_LEAVING_S = 16.0  # how long the last shoppers take to walk out of the picture


@dataclass(frozen=True, slots=True)
class ShopPlan:
    """How a simulated shop is run. Without `duration_s` it stays open until it is stopped."""

    seed: int = 1
    duration_s: float | None = None
    camera_fps: float = 5.0
    people_per_minute: float = 45.0
    drain_s: float = 15.0  # under what a supervisor allows between SIGTERM and SIGKILL
    reconnect_max_s: int = 5
    connect_s: float = 10.0
    resend: ResendAfter = EVERY_FEW_SECONDS
    open_source: Callable[[], VideoSource] | None = None
    """Opens the video that every camera shows in place of the simulated door; what it shows has no known truth."""

    @property
    def last_entry_s(self) -> float | None:
        """After this nobody starts to walk, so that at the end nobody is half way."""
        return None if self.duration_s is None else max(self.duration_s - _LEAVING_S, self.duration_s / 2)


_Script = Callable[[Opening], Iterator[Saying]]


class _Sayings(Protocol):
    def __call__(self, opening: Opening, device: Device, *, until_s: float | None) -> Iterator[Saying]: ...


class _Camera(Protocol):
    sender: FrameSender

    def run(self, *, until_s: float | None, stop: Event, started_s: float) -> None: ...


class SimulatedShop:
    """The devices of one store. `run` opens the shop, closes it, and tells what really happened."""

    def __init__(
        self, settings: Settings, plan: ShopPlan, *, clock: Clock = utc_now, stop: Event | None = None
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._clock = clock
        self._stop = stop or Event()
        self._opening = Opening(plan.seed, clock())
        self._said = SaidTruth()
        self._refused = 0
        self._sources: list[VideoSource] = []
        self._talkers = list(self._new_talkers())
        self._cameras = {camera.id: self._new_camera(camera) for camera in settings.cameras}

    @property
    def devices(self) -> list[ReferenceDevice]:
        """Every device of the shop: cameras, then tills, mirrors and kiosks."""
        return [camera.sender.device for camera in self._cameras.values()] + [device for device, _ in self._talkers]

    def stop(self) -> None:
        """Let `run` end as if the time were over; may be called from anywhere, a signal handler too."""
        self._stop.set()

    def run(self) -> dict[str, Any]:
        """Run the shop until its time is over or it is stopped, wait for the last acknowledgements, and return the truth."""
        try:
            for device in self.devices:
                device.start()
            self._await_broker()
            self._open()
            self._drain()
            return self.truth()
        finally:
            self._close()

    def truth(self) -> dict[str, Any]:
        """What has happened so far, ready for JSON; `truth_in` and `truth_out` are None for a video."""
        cameras = {name: _camera_truth(camera) for name, camera in self._cameras.items()}
        counted = [
            cameras[camera.id]["crossings"]
            for camera in self._settings.cameras
            if camera.lines and cameras[camera.id]["crossings"] is not None
        ]
        known = self._plan.open_source is None
        return {
            "store": self._settings.store.id,
            "seed": self._plan.seed,
            "started_at": self._opening.started_at.isoformat(),
            "duration_s": self._plan.duration_s,
            "frames_published": sum(camera["frames_published"] for camera in cameras.values()),
            "frames_not_sent": sum(camera["frames_not_sent"] for camera in cameras.values()),
            "frames_skipped": sum(camera["frames_skipped"] for camera in cameras.values()),
            "truth_in": sum(crossed["in"] for crossed in counted) if known else None,
            "truth_out": sum(crossed["out"] for crossed in counted) if known else None,
            "cameras": cameras,
            "messages_sent": sum(device.sent_count for device in self.devices),
            "publishes": sum(device.publish_count for device in self.devices),
            "unacked": sum(device.pending() for device in self.devices),
            "refused": self._refused,
            "recommendations": sum(device.recommendation_count for device in self.devices),
            **self._said.as_dict(),
        }

    def _new_device(self, device: Device) -> ReferenceDevice:
        return ReferenceDevice(
            store=self._settings.store.id,
            device=device,
            mqtt=self._settings.mqtt,
            resend=self._plan.resend,
            reconnect_max_s=self._plan.reconnect_max_s,
        )

    def _new_camera(self, camera: CameraSettings) -> _Camera:
        device = Device("camera", camera.id)
        sender = FrameSender(self._new_device(device), next_id=self._opening.ids(device), clock=self._clock)
        if self._plan.open_source is not None:
            self._sources.append(self._plan.open_source())
            return VideoCamera(sender, source=self._sources[-1])
        scene = DoorScene(
            seed=self._opening.scene_seed(device),
            people_per_minute=self._plan.people_per_minute,
            last_entry_s=self._plan.last_entry_s,
        )
        return SimulatedCamera(sender, scene=scene, fps=self._plan.camera_fps)

    def _new_talkers(self) -> Iterator[tuple[ReferenceDevice, _Script]]:
        scripts: tuple[tuple[DeviceKind, tuple[DeviceSettings, ...], _Sayings], ...] = (
            ("pos", self._settings.tills, till_sayings),
            ("mirror", self._settings.mirrors, mirror_sayings),
            ("kiosk", self._settings.kiosks, kiosk_sayings),
        )
        for kind, described, sayings in scripts:
            for device in (Device(kind, one.id) for one in described):
                yield self._new_device(device), partial(sayings, device=device, until_s=self._plan.duration_s)

    def _await_broker(self) -> None:
        """Give every device a moment to connect, so that the first shoppers are seen; without a broker open all the same."""
        deadline_s = time.monotonic() + self._plan.connect_s
        for device in self.devices:
            while not (self._stop.is_set() or device.wait_connected(0.2) or time.monotonic() >= deadline_s):
                pass

    def _open(self) -> None:
        started_s, self._opening = time.monotonic(), replace(self._opening, started_at=self._clock())
        until_s = self._plan.duration_s
        jobs: list[Callable[[], None]] = [
            partial(camera.run, until_s=until_s, stop=self._stop, started_s=started_s)
            for camera in self._cameras.values()
        ]
        jobs += [partial(self._talk, device, script(self._opening), started_s) for device, script in self._talkers]
        log.info("shop_open", cameras=len(self._cameras), others=len(self._talkers))
        self._run_all(jobs)

    def _run_all(self, jobs: list[Callable[[], None]]) -> None:
        """Run every job in a thread of its own. If one fails the others are stopped, and its error is raised."""
        with ThreadPoolExecutor(max_workers=len(jobs) + 1, thread_name_prefix="simulate") as pool:
            running: list[Future[None]] = [pool.submit(job) for job in jobs]
            if any(job.exception() for job in wait(running, return_when=FIRST_EXCEPTION).done):
                self._stop.set()
        for job in running:
            job.result()

    def _talk(self, device: ReferenceDevice, sayings: Iterator[Saying], started_s: float) -> None:
        for saying in sayings:
            if self._stop.wait(max(0.0, started_s + saying.at_s - time.monotonic())):
                return
            try:
                device.send(saying.message)
            except BusError as error:
                self._refused += 1
                log.warning("message_refused", device=f"{device.device.kind}/{device.device.id}", reason=str(error))
            else:
                self._said.add(saying.message)

    def _drain(self) -> None:
        deadline_s = time.monotonic() + self._plan.drain_s
        for device in self.devices:
            device.wait_acknowledged(max(0.0, deadline_s - time.monotonic()))
        log.info("shop_closed", unacked=sum(device.pending() for device in self.devices))

    def _close(self) -> None:
        """Stop all devices at once: each may wait seconds for a broker that is away."""
        with ThreadPoolExecutor(max_workers=max(len(self.devices), 1)) as pool:
            list(pool.map(ReferenceDevice.stop, self.devices))
        for source in self._sources:
            source.close()


def _camera_truth(camera: _Camera) -> dict[str, Any]:
    device = camera.sender.device
    simulated = camera if isinstance(camera, SimulatedCamera) else None
    return {
        "frames_published": device.frames_published,
        "frames_not_sent": device.frames_not_sent,
        "frames_skipped": simulated.frames_skipped if simulated else 0,
        "line": list(simulated.scene.line) if simulated else None,
        "crossings": simulated.crossings() if simulated else None,
    }
