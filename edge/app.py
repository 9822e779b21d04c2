"""The composition root: `build(settings)` is the only place where the gateway's rooms meet."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from edge.bus.client import BusClient
from edge.bus.dead_letters import DeadLetter, dead_letter_of
from edge.bus.inbound import Inbound
from edge.bus.paho_client import Presence
from edge.bus.payloads import ReadTransaction
from edge.bus.topics import FrigateTopic, gateway_status_topic, gateway_subscriptions, topic_for
from edge.camera.detector import Detector
from edge.camera.frigate_camera import FrigateCamera
from edge.camera.merge import EntranceMerger
from edge.camera.pipeline import CameraPipeline, Gate, GateAnswer
from edge.cameras import Cameras
from edge.clock import Clock, utc_now
from edge.commits import CommitWatch
from edge.consent.gate import ConsentGate
from edge.consent.purposes import PurposeBook
from edge.consent.reader import ConsentReader
from edge.consent.tries import Tries
from edge.errors import MessageRejected
from edge.following import ConsentFollower
from edge.gateway import DeviceReplies, Gateway, Intake
from edge.messages import CameraFrame, Device, PosTransaction, Received
from edge.models import default_models_dir, load_model
from edge.outbox.table import Outbox
from edge.pos_bridge.reading import read_transaction
from edge.privacy.keyring import Keyring
from edge.privacy.noise import Noise, discrete_laplace
from edge.privacy.release import ReleaseGate
from edge.privacy.round import ReleaseRound
from edge.privacy.sanitise.of_store import sanitiser_of
from edge.settings import CameraSettings, Settings
from edge.storage.store import Store
from edge.till_credentials import TillCredentials
from edge.tills_http import TillsHttp
from edge.tills_server import TillsServer
from edge.writer import Writer

__all__ = ["build"]

log = structlog.get_logger(__name__)

_WRONG_CODES_EACH = 5
_WRONG_CODES_TOGETHER = 50
"""Wrong session codes a minute, from one device and from all: of a million codes these are few."""


def build(settings: Settings, *, clock: Clock = utc_now, noise: Noise = discrete_laplace) -> Gateway:
    """Wire a gateway for `settings`; it does nothing until it is started.

    Raises:
        ThresholdError: a model is refused, or another gateway owns the store's database.
    """
    keyring = Keyring.open(settings.keyring_file)
    reader = ConsentReader(settings.consent_db, keyring=keyring)
    follower = ConsentFollower(reader)
    gate = _gate(settings, reader=reader, follower=follower)
    pipelines = _pipelines(settings, gate=gate)
    store = Store(settings.store_db)
    outbox = Outbox(store=settings.store.id, incarnation=store.incarnation)
    release_round = ReleaseRound(settings, gate=ReleaseGate(settings.privacy, noise=noise), outbox=outbox)
    bus = BusClient(
        settings.mqtt,
        client_id=f"threshold-gateway-{settings.store.id}",
        subscriptions=gateway_subscriptions(settings.store.id),
        # The one knot: messages lead to acknowledgements, which go back the way the messages came.
        on_message=lambda topic, payload, receipt: intake(topic, payload, receipt),  # noqa: PLW0108
        presence=Presence(gateway_status_topic(settings.store.id)),
    )
    replies = CommitWatch(DeviceReplies(bus, store=settings.store.id))
    writer = Writer(
        settings,
        store=store,
        replies=replies,
        release_round=release_round,
        outbox=outbox,
        connected=lambda: bus.connected,
        clock=clock,
        follow=lambda tx, now: follower.run(tx, outbox=outbox, now=now),
    )
    cameras = Cameras(
        pipelines,
        frigate=_frigate(settings, pipelines, gate=gate),
        threads=max(1, min(len(pipelines), os.cpu_count() or 1)),
        deliver=writer.put,
        count=writer.count,
        gauge=writer.gauge,
        dead_letter=lambda error, received: _frame_letter(error, received, store=settings.store.id),
        merge=EntranceMerger.of(settings).merge,
    )

    def door() -> Intake:
        """One for each thread that messages come on: its rate limits are not shared."""
        inbound = Inbound.of(settings, read_transaction=_till_reader(settings, count=writer.count))
        return Intake(inbound=inbound, gate=gate, cameras=cameras, writer=writer, clock=clock)

    intake = door()
    tills = _tills_server(settings, door=door(), commits=replies) if settings.tills_http.enabled else None
    return Gateway(bus=bus, cameras=cameras, writer=writer, store=store, tills=tills)


def _gate(settings: Settings, *, reader: ConsentReader, follower: ConsentFollower) -> ConsentGate:
    purposes = PurposeBook.load(settings.consent.purposes_file)
    return ConsentGate.of(
        settings,
        registry=reader,
        notice_of=lambda purpose: purposes.version(purpose) if purpose in purposes else None,
        wrong_codes=Tries(each=_WRONG_CODES_EACH, everybody=_WRONG_CODES_TOGETHER, window=timedelta(minutes=1)),
        doubt=follower.doubt,
    )


def _till_reader(settings: Settings, *, count: Callable[[str, int], None]) -> ReadTransaction:
    """What tills send, JSON or POSLog, in the shop's own time, with nothing left in it that names or pays.

    What PCI DSS 3.3 forbids to keep is counted, so that somebody hears of the till that sends it.
    """
    timezone, sanitiser = ZoneInfo(settings.store.timezone), sanitiser_of(settings)

    def clean(value: Any) -> Any:
        cleaned = sanitiser.clean(value)
        for kind, times in cleaned.dropped.items():
            count(f"forbidden_{kind.value}", times)
            log.error("till.sends_forbidden", kind=kind.value)
        return cleaned.value

    def read(payload: bytes, device: Device, at: datetime) -> PosTransaction:
        return read_transaction(payload, till=device.id, received_at=at, timezone=timezone, clean=clean)

    return read


def _tills_server(settings: Settings, *, door: Intake, commits: CommitWatch) -> TillsServer:
    credentials = TillCredentials.of(settings)
    app = TillsHttp(settings, door=door, commits=commits, credentials=credentials).app()
    return TillsServer(app, settings.tills_http)


def _pipelines(settings: Settings, *, gate: ConsentGate) -> dict[str, CameraPipeline]:
    """One pipeline a camera, each with a session of its own: pictures of two cameras are inferred side by side."""
    models_dir = settings.models or default_models_dir()
    loaded = {name: load_model(name, models_dir) for name in sorted({camera.model for camera in settings.cameras})}

    def pipeline(camera: CameraSettings) -> CameraPipeline:
        detector = Detector(
            loaded[camera.model],
            threads=1,
            score_threshold=camera.score_threshold,
            providers=settings.inference.providers,
        )

        return CameraPipeline(camera, detector=detector, allowed=_allowed(camera, gate))

    return {camera.id: pipeline(camera) for camera in settings.cameras}


def _frigate(
    settings: Settings, pipelines: dict[str, CameraPipeline], *, gate: ConsentGate
) -> dict[str, FrigateCamera]:
    """The cameras that are heard through Frigate as well, by their own ids."""
    return {
        camera.id: FrigateCamera(camera, pipeline=pipelines[camera.id], allowed=_allowed(camera, gate))
        for camera in settings.cameras
        if camera.frigate_name
    }


def _allowed(camera: CameraSettings, gate: ConsentGate) -> Gate:
    def allowed(at: datetime) -> GateAnswer:
        return gate.ask("footfall", at=at, zone=camera.zone)

    return allowed


def _frame_letter(error: MessageRejected, received: Received, *, store: str) -> DeadLetter:
    """The dead letter of a picture that the guard refused, or of what a camera's room broke on."""
    if received.device.kind == "frigate":
        return dead_letter_of(error, str(FrigateTopic(camera=None)), b"")
    payload = received.message.jpeg if isinstance(received.message, CameraFrame) else b""
    return dead_letter_of(error, topic_for(store, received.device, "frame"), payload)
