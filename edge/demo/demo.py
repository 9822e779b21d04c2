"""The demo: a shop full of simulated devices, its gateway, dashboard and sync, and a headquarters, on one machine."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.clock import Clock
from edge.demo.accounting import Account, balance
from edge.demo.certificates import write_loopback_certificate
from edge.demo.folder import DemoFolder, DemoPorts, write_demo_store
from edge.demo.headquarters import hq_summary
from edge.errors import ThresholdError
from edge.settings import LineSettings, Settings, load_settings
from edge.status import Status, read_status
from edge.supervisor import ProcessSpec, Supervisor, threshold_command

__all__ = ["Demo", "DemoPlan"]

_START_S = 60.0
_DRAIN_S = 90.0
_POLL_S = 0.2
_TELL_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What to play: cameras and their lines, for how long (None: until interrupted), or a video in place of the scenes."""

    state: Path
    cameras: dict[str, tuple[LineSettings, ...]]
    duration_s: float | None = None
    video: Path | None = None
    seed: int = 1


class Demo:
    """Sets the stage, plays, waits until everything has arrived, and draws up the account."""

    def __init__(self, plan: DemoPlan, *, ports: DemoPorts, clock: Clock, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._ports = ports
        self._clock = clock
        self._say = say
        self._folder = DemoFolder(plan.state)
        self._interrupted = threading.Event()

    def play(self) -> Account:
        """Run the whole demo.

        Raises:
            ThresholdError: a process did not come up, or the simulated shop failed.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._interrupted.set())
        settings = self._set_stage()
        before = read_status(settings, clock=self._clock)
        with Supervisor(self._plan.state) as supervisor:
            self._start(supervisor, settings)
            self._say(
                f"dashboard http://127.0.0.1:{self._ports.web}/   headquarters https://127.0.0.1:{self._ports.hq}/"
            )
            self._watch_shop(supervisor, settings)
            after = self._drain(settings)
            hq = hq_summary(settings)
            restarts = supervisor.restarts()
        truth: dict[str, Any] = json.loads(self._folder.truth.read_text("utf-8"))
        return balance(truth=truth, before=before, after=after, hq=hq, restarts=restarts)

    def _set_stage(self) -> Settings:
        folder, plan = self._folder, self._plan
        plan.state.mkdir(parents=True, exist_ok=True)
        folder.truth.unlink(missing_ok=True)
        now = self._clock()
        write_demo_store(
            folder, ports=self._ports, cameras=plan.cameras, video=plan.video is not None, today=now.date()
        )
        write_loopback_certificate(certificate=folder.certificate, key=folder.key, now=now)
        return load_settings(folder.config)

    def _enrol(self) -> None:
        """Have HQ give the store its credential, as an installer would."""
        folder = self._folder
        if not folder.credential.exists():
            enrol = threshold_command(
                *("hq", "add-store", "demo", "--data", str(folder.hq_data), "--credential-out", str(folder.credential))
            )
            done = subprocess.run(enrol, check=False, capture_output=True, text=True)
            if done.returncode:
                raise ThresholdError("enrol demo store", done.stderr.strip(), "choose another --state folder")

    def _start(self, supervisor: Supervisor, settings: Settings) -> None:
        folder, ports = self._folder, self._ports
        config = ("--config", str(folder.config))
        tls = ("--tls-cert", str(folder.certificate), "--tls-key", str(folder.key))
        hq = ("hq", "serve", "--data", str(folder.hq_data), "--port", str(ports.hq), *tls)
        started_s = self._clock().timestamp()

        def start(name: str, *arguments: str) -> None:
            supervisor.start(ProcessSpec(name, threshold_command(*arguments)))

        start("broker", "broker", "--port", str(ports.mqtt))
        start("gateway", "gateway", *config)
        start("web", "web", *config)
        self._enrol()  # the others come up meanwhile
        start("hq", *hq)
        start("sync", "sync", *config)
        self._await(supervisor, "broker", lambda: _listens(ports.mqtt))
        self._await(supervisor, "hq", lambda: _listens(ports.hq))
        self._await(supervisor, "web", lambda: _listens(ports.web))
        self._await(supervisor, "gateway", lambda: self._subscribed_since(settings, started_s))
        supervisor.start(ProcessSpec("simulate", self._simulate_command(), restart=False))

    def _simulate_command(self) -> tuple[str, ...]:
        plan = self._plan
        arguments = ["simulate", "--config", str(self._folder.config), "--seed", str(plan.seed)]
        arguments += ["--truth", str(self._folder.truth)]
        if plan.duration_s is not None:
            arguments += ["--duration", str(plan.duration_s)]
        if plan.video is not None:
            arguments += ["--video", str(plan.video)]
        return threshold_command(*arguments)

    def _await(self, supervisor: Supervisor, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_S
        while not ready():
            if time.monotonic() > deadline or self._interrupted.is_set():
                supervisor_log = supervisor.log_tail(name)
                raise ThresholdError("start demo", f"{name} did not come up: {supervisor_log}", "see the log above")
            time.sleep(_POLL_S)

    def _subscribed_since(self, settings: Settings, started_s: float) -> bool:
        try:
            gauges = read_status(settings, clock=self._clock)["gauges"]
        except ThresholdError:
            return False  # the gateway is making its tables this very moment
        return gauges.get("broker_connected_s", 0.0) >= started_s

    def _watch_shop(self, supervisor: Supervisor, settings: Settings) -> None:
        """Until the simulated shop has closed: by itself, or because somebody interrupted."""
        told_s = time.monotonic()
        while supervisor.alive("simulate"):
            if self._interrupted.wait(_POLL_S):
                supervisor.stop("simulate")
                break
            if time.monotonic() - told_s > _TELL_EVERY_S:
                told_s = time.monotonic()
                self._say(_progress(read_status(settings, clock=self._clock)))
        if not self._folder.truth.exists():
            raise ThresholdError("play demo", f"the simulated shop failed: {supervisor.log_tail('simulate')}", "")

    def _drain(self, settings: Settings) -> Status:
        """Wait until every window has closed and HQ has acknowledged what was released, or it takes too long."""
        windows = settings.windows
        closed_s = self._clock().timestamp() + windows.release_s + windows.grace_s + 1
        deadline = time.monotonic() + _DRAIN_S
        self._say("shop closed; waiting for the last window to close and for headquarters to have it")
        while True:
            status = read_status(settings, clock=self._clock)
            closed = self._clock().timestamp() > closed_s
            if (closed and status["outbox"]["waiting"] == 0) or time.monotonic() > deadline:
                return status
            time.sleep(_POLL_S)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _progress(status: Status) -> str:
    visitors, outbox = status["visitors"], status["outbox"]
    return (
        f"visitors {visitors['in']} in, {visitors['out']} out; {status['counters'].get('frames', 0)} frames; "
        f"events {outbox['acknowledged_sequence']} at HQ, {outbox['waiting']} waiting"
    )
